-- Every change of stock after a product's creation, once. stock = initial_stock + sum(amount), always.
create table stock_ledger (
    -- sale | arrival
    kind       varchar(16) not null,
    -- The order or the attempt that changed the stock: each counts once.
    source_id  varchar(64) not null,
    product_id varchar(64) not null,
    -- Signed: negative for a sale.
    amount     bigint      not null,
    created_at bigint      not null,
    primary key (kind, source_id),
    foreign key (product_id) references products (product_id)
);
