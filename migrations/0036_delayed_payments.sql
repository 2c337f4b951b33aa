-- Since when the card provider refuses what we ask about a payment: our key, our account or our request. It is no
-- answer about the payment, which stays as it is; but whoever waits for it is told.
alter table payments
    add column delayed_at timestamptz;
grant update (delayed_at) on payments to awareness_app;
