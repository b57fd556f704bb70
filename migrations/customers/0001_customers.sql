-- Who buys.
create table customers (
    customer_id varchar(64)  not null primary key,
    name        varchar(200) not null,
    -- normal | vip
    type        varchar(16)  not null,
    created_at  bigint       not null
);
