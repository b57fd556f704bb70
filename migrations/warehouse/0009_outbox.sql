-- What each customer has bought so far. The row is also the lock of one customer's sales: it is counted up in the
-- transaction of the sale, so a customer's totals and ordinals grow in the order in which the sales were committed.
create table buyers (
    customer_id  varchar(64) not null primary key,
    bought       bigint      not null,
    -- The ordinal of the latest sale.
    last_ordinal bigint      not null
);

insert into buyers (customer_id, bought, last_ordinal)
select customer_id, sum(quantity), max(created_at) from orders
where outcome = 'sold' and customer_id is not null and customer_id <> '' group by customer_id;

-- Sales that the world is to hear of, written with the sale itself.
create table outbox (
    order_id     varchar(64) not null primary key,
    -- The order of publishing: the time of the sale in milliseconds since 1970, or one more than the customer's
    -- last where clocks disagree.
    ordinal      bigint      not null,
    product_id   varchar(64) not null,
    customer_id  varchar(64) not null,
    quantity     bigint      not null,
    -- Items this customer has bought, this order included.
    total        bigint      not null,
    sold_at      bigint      not null,
    -- When it was published, or null.
    published_at bigint      null,
    foreign key (order_id) references orders (order_id)
);

-- outbox::take: the few that are unpublished, in their order.
create index outbox_by_published on outbox (published_at, ordinal);

-- Who publishes: one relay at a time, so that two cannot overtake each other.
create table outbox_lease (
    name         varchar(16) not null primary key,
    holder       varchar(64) not null,
    leased_until bigint      not null
);

insert into outbox_lease (name, holder, leased_until) values ('outbox', '', 0);
