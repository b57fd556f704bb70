-- What the factory delivered: at most once per attempt.
create table arrivals (
    attempt_id varchar(64) not null primary key,
    reorder_id varchar(64) not null,
    product_id varchar(64) not null,
    asked      bigint      not null,
    delivered  bigint      not null,
    arrived_at bigint      not null,
    -- When it was counted into the stock, or null.
    applied_at bigint      null,
    foreign key (attempt_id) references attempts (attempt_id)
);

-- arrival::unapplied: the sweep looks for the few that nobody counted.
create index arrivals_by_applied on arrivals (applied_at, arrived_at);

-- arrival::applied_for: what fulfilled a reorder.
create index arrivals_by_reorder on arrivals (reorder_id, applied_at);
