-- What we sell. The row is also the lock of everything that concerns one product's stock and reorders:
-- each transaction that changes them touches this row first.
create table products (
    product_id       varchar(64)  not null primary key,
    sku              varchar(64)  not null,
    name             varchar(200) not null,
    -- Who makes it: the factory's identifier for itself.
    identifier       varchar(64)  not null,
    -- Who hears of missing stock. Not for clients.
    manager_email    varchar(320) not null,
    stock            bigint       not null,
    initial_stock    bigint       not null,
    -- The least that the factory is asked for at once.
    reorder_quantity bigint       not null,
    -- The one open reorder of this product, or null. Setting it from null is the claim.
    open_reorder     varchar(64)  null,
    created_at       bigint       not null,
    check (stock >= 0)
);
