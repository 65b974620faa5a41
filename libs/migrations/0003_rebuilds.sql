-- Migrations that leave read models incomplete: the service makes them anew from its log before it is ready.
CREATE TABLE rebuilds (
    migration text PRIMARY KEY
);
