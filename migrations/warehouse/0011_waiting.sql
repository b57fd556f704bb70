-- token::waiting: the few that are open.
create index tokens_by_closed on tokens (closed_at, opened_at);
