-- Why an arrival was counted without its execution, and what else operations must hear of it besides its counts, or
-- null. Written with the count, so that neither a crash nor a dead SNS loses it.
alter table arrivals add column remark text null;
-- When operations had heard of it, or when it was counted where there is nothing to tell; null until then.
alter table arrivals add column reported_at bigint null;

update arrivals set reported_at = applied_at;

-- arrival::unreported: the few that operations have not heard of yet.
create index arrivals_by_reported on arrivals (reported_at, applied_at);

-- arrival::expected: how long the last deliveries of a product took.
create index arrivals_by_product on arrivals (product_id, arrived_at);

-- Until when one sender has the answering of this token to itself, or null.
alter table tokens add column answering_until bigint null;
