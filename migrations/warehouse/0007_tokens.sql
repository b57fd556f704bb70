-- Who waits for an attempt's arrival. Rows are added and closed, never overwritten.
create table tokens (
    -- A digest of the token, so that registering it twice is one row.
    token_id     varchar(64) not null primary key,
    attempt_id   varchar(64) not null,
    token        text        not null,
    opened_at    bigint      not null,
    closed_at    bigint      null,
    -- accepted | timed_out | unknown | invalid
    close_reason varchar(16) null,
    foreign key (attempt_id) references attempts (attempt_id)
);

-- token::open_for: an arrival wakes everyone who waits for it.
create index tokens_by_attempt on tokens (attempt_id, closed_at);
