-- Messages that came to somebody when two people were merged who both had one of the same send: their occurrence is
-- negative. They are few. Whether a send has any is asked once for every batch that is loaded.
CREATE INDEX marketing_messages_merged ON marketing_messages (workspace_id, send_id, contact_id) WHERE occurrence < 0;

-- Certificates, in PEM, of authorities that signed a mail server's and that the system does not know.
ALTER TABLE marketing_email_settings ADD COLUMN certificates text;
