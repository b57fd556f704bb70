-- Calls to the factory, each committed before it is made.
create table attempts (
    attempt_id        varchar(64)  not null primary key,
    reorder_id        varchar(64)  not null,
    product_id        varchar(64)  not null,
    quantity          bigint       not null,
    -- requested | accepted | failed
    status            varchar(16)  not null,
    -- The factory's own id of an accepted request, or null.
    factory_reference varchar(255) null,
    -- Why it failed, or null.
    failure           text         null,
    requested_at      bigint       not null,
    settled_at        bigint       null,
    foreign key (reorder_id) references reorders (reorder_id),
    foreign key (product_id) references products (product_id)
);

-- attempt::list: the attempts of one reorder, for people and for invariants.
create index attempts_by_reorder on attempts (reorder_id, requested_at);
