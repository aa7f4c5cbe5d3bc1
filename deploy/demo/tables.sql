-- What the demonstration starts with.
create table public.customers (
  customer_id bigint generated always as identity primary key,
  email text not null unique,
  balance numeric(12, 2) not null default 0,
  updated_at timestamptz not null default now()
);
create table public.orders (
  order_id bigint generated always as identity primary key,
  customer_id bigint not null references public.customers,
  total numeric(12, 2) not null,
  status text not null default 'new',
  created_at timestamptz not null default now()
);
alter table public.customers replica identity full;
alter table public.orders replica identity full;

insert into public.customers (email, balance) select 'c' || n || '@example.org', n from generate_series(1, 1000) n;
insert into public.orders (customer_id, total) select 1 + n % 1000, n / 100.0 from generate_series(1, 5000) n;
