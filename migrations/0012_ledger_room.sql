-- A message is written when its campaign begins and rewritten when it was sent. With room beside it on the same page the new
-- version needs no entry in any index (a HOT update), which is most of what settling costs.
ALTER TABLE marketing_messages SET (fillfactor = 42);
