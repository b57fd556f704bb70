-- The answers that customers got: sold and refused.
create table orders (
    order_id        varchar(64)  not null primary key,
    -- Null for a checkout without a key. Unique: one key has one answer.
    idempotency_key varchar(255) null,
    product_id      varchar(64)  not null,
    customer_id     varchar(64)  null,
    requester       varchar(200) null,
    quantity        bigint       not null,
    -- sold | refused
    outcome         varchar(16)  not null,
    -- The stock that the customer was told.
    remaining       bigint       not null,
    created_at      bigint       not null,
    foreign key (product_id) references products (product_id)
);

-- order::by_key: a repeated checkout finds its first answer; its uniqueness decides between simultaneous ones.
create unique index orders_by_key on orders (idempotency_key);
