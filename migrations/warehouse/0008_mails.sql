-- Mail to the advertising manager: one of each kind per reorder.
create table mails (
    reorder_id    varchar(64)  not null,
    -- stop | resume
    kind          varchar(16)  not null,
    -- Until when whoever claimed the sending has it to themselves; in the past, anyone may claim it.
    claimed_until bigint       not null,
    -- The mail service's id once it was sent, or null.
    message_id    varchar(255) null,
    sent_at       bigint       null,
    primary key (reorder_id, kind),
    foreign key (reorder_id) references reorders (reorder_id)
);
