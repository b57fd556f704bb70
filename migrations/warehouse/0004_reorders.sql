-- Requests to the factory: one open per product. Changed only in transactions that hold the product's row.
create table reorders (
    reorder_id varchar(64) not null primary key,
    product_id varchar(64) not null,
    factory_id varchar(64) not null,
    -- What the factory is asked for. Never changes: an execution is started with it.
    quantity   bigint      not null,
    -- The refused order that it can be followed back to, or null. Never changes.
    order_id   varchar(64) null,
    -- The largest count that a customer asked for in vain.
    wanted     bigint      not null,
    -- open | arrived | in_stock | released
    status     varchar(16) not null,
    -- The reorder whose close opened this one, or null.
    follows    varchar(64) null,
    opened_at  bigint      not null,
    closed_at  bigint      null,
    foreign key (product_id) references products (product_id)
);

-- reorder::successor: a repeated close finds the reorder that the first one opened.
create index reorders_by_predecessor on reorders (follows, status);

-- reorder::list_open: few rows are open among very many closed ones.
create index reorders_by_status on reorders (status, opened_at);
