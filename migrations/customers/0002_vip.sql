-- When a customer became a VIP, and by which order. Null for all others.
alter table customers add column vip_since bigint null;
alter table customers add column vip_order_id varchar(64) null;
