PRAGMA user_version=4;
BEGIN TRANSACTION;
CREATE TABLE conversations (
	id INTEGER NOT NULL, 
	public_id TEXT NOT NULL, 
	contact BIGINT, 
	channel TEXT NOT NULL, 
	external_id TEXT NOT NULL, 
	queue TEXT NOT NULL, 
	head_start_ms BIGINT NOT NULL, 
	requires JSON NOT NULL, 
	wishes JSON NOT NULL, 
	weight INTEGER DEFAULT '1' NOT NULL, 
	terms JSON DEFAULT '{}' NOT NULL, 
	customer_id INTEGER NOT NULL, 
	opened_at_ms BIGINT NOT NULL, 
	engaged_at_ms BIGINT, 
	closed_at_ms BIGINT, 
	agent TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (channel, external_id), 
	UNIQUE (public_id), 
	FOREIGN KEY(customer_id) REFERENCES customers (id)
);
INSERT INTO "conversations" VALUES(1,'SWh20VxZdaXsr7LO3JLyaA',7,'webchat','v-1.1','cards',0,'{"english": 20}','{"prefers": {"english": 2}, "preferred": ["ann"], "preferred_wait_ms": 30000, "excludes": ["cat"]}',1,'{"place": 7}',1,1700000000000,1700000001000,1700000000000,'chen_wei');
INSERT INTO "conversations" VALUES(2,'nypAxgckA4aOq2q9NUEEtA',NULL,'webchat','v-1.2','cards',0,'{}','{}',1,'{}',1,1700000000000,NULL,NULL,NULL);
INSERT INTO "conversations" VALUES(3,'Q6QPKGJdbOuI_V3h5TvPLQ',NULL,'app','x','loans',0,'"cards >= 50"','{}',1,'{}',2,1700000000000,NULL,NULL,NULL);
CREATE TABLE customers (
	id INTEGER NOT NULL, 
	public_id TEXT NOT NULL, 
	name TEXT, 
	created_at_ms BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (public_id)
);
INSERT INTO "customers" VALUES(1,'iTNWwPVZwNssAjEil9hezQ','王芳',1700000000000);
INSERT INTO "customers" VALUES(2,'H5KHhvNGQaSOJFTtdrPqAQ',NULL,1700000000000);
CREATE TABLE identities (
	channel TEXT NOT NULL, 
	name TEXT NOT NULL, 
	customer_id INTEGER NOT NULL, 
	PRIMARY KEY (channel, name), 
	FOREIGN KEY(customer_id) REFERENCES customers (id)
);
INSERT INTO "identities" VALUES('webchat','v-1',1);
CREATE TABLE messages (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	conversation INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	sender TEXT NOT NULL CHECK (sender IN ('customer', 'agent', 'system')), 
	agent TEXT, 
	external_id TEXT NOT NULL, 
	text TEXT NOT NULL, 
	at_ms BIGINT NOT NULL, 
	UNIQUE (conversation, position), 
	UNIQUE (conversation, sender, external_id), 
	FOREIGN KEY(conversation) REFERENCES conversations (id)
);
INSERT INTO "messages" VALUES(1,1,1,'customer',NULL,'m-1','你好, it''s me; "quoted"',1700000000000);
INSERT INTO "messages" VALUES(2,1,2,'agent','chen_wei','m-1','hello',1700000000000);
CREATE TABLE refresh_tokens (
	token_hash TEXT NOT NULL, 
	sign_in_id TEXT NOT NULL, 
	expires_at_ms BIGINT NOT NULL, 
	used_at_ms BIGINT, 
	PRIMARY KEY (token_hash), 
	FOREIGN KEY(sign_in_id) REFERENCES sign_ins (id) ON DELETE CASCADE
);
INSERT INTO "refresh_tokens" VALUES('t1','s1',1900000000000,NULL);
CREATE TABLE sign_ins (
	id TEXT NOT NULL, 
	user_id INTEGER NOT NULL, 
	created_at_ms BIGINT NOT NULL, 
	expires_at_ms BIGINT NOT NULL, 
	revoked_at_ms BIGINT, 
	revoked_because TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "sign_ins" VALUES('s1',1,1700000000000,1900000000000,NULL,NULL);
CREATE TABLE users (
	id INTEGER NOT NULL, 
	login TEXT NOT NULL, 
	name TEXT NOT NULL, 
	password_hash TEXT NOT NULL, 
	role TEXT NOT NULL CHECK (role IN ('agent', 'supervisor', 'analyst', 'admin')), 
	agent TEXT, 
	created_at_ms BIGINT NOT NULL, 
	disabled_at_ms BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (login), 
	UNIQUE (agent)
);
INSERT INTO "users" VALUES(1,'chen','陈伟','$argon2id$none','agent','chen_wei',1700000000000,NULL);
CREATE INDEX ix_sign_ins_user_id ON sign_ins (user_id);
CREATE INDEX ix_identities_customer_id ON identities (customer_id);
CREATE INDEX conversations_without_contact ON conversations (id) WHERE contact IS NULL;
CREATE INDEX ix_conversations_customer_id ON conversations (customer_id);
CREATE UNIQUE INDEX conversation_of_contact ON conversations (contact);
CREATE INDEX ix_refresh_tokens_sign_in_id ON refresh_tokens (sign_in_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('messages',2);
COMMIT;
