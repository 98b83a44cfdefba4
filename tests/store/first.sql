BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE assignment (
	id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	case_id VARCHAR, 
	connection VARCHAR, 
	playbook VARCHAR, 
	step VARCHAR, 
	role VARCHAR NOT NULL, 
	person VARCHAR, 
	state VARCHAR NOT NULL, 
	opened_at BIGINT NOT NULL, 
	due_at BIGINT, 
	remind_at BIGINT, 
	escalate_at BIGINT, 
	escalate_to VARCHAR, 
	next_at BIGINT, 
	told_at BIGINT, 
	reminded_at BIGINT, 
	escalated_at BIGINT, 
	done_by VARCHAR, 
	done_at BIGINT, 
	late BOOLEAN, 
	minutes INTEGER, 
	reason TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(case_id) REFERENCES "case" (id)
);
INSERT INTO "assignment" VALUES('aewmzq3y2y','step','g2ny64fwy2',NULL,'visit','call','manager','yoon','done',1795478400000000,1795492800000000,NULL,NULL,'manager',NULL,1795478400000000,NULL,NULL,'yoon',1795478400000000,0,NULL,NULL);
INSERT INTO "assignment" VALUES('798x3tadxd','step','dkc42sxabh',NULL,'visit','call','manager','yoon','open',1795478400000000,1795492800000000,NULL,NULL,'manager',NULL,1795478400000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	who VARCHAR NOT NULL, 
	what VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	reason TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "audit" VALUES(1,1795478400000000,'yoon','done','aewmzq3y2y',NULL);
CREATE TABLE "case" (
	id VARCHAR NOT NULL, 
	playbook VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	party_id VARCHAR, 
	period VARCHAR, 
	event_id INTEGER, 
	opened_at BIGINT NOT NULL, 
	status VARCHAR NOT NULL, 
	step INTEGER NOT NULL, 
	began_at BIGINT, 
	leg INTEGER NOT NULL, 
	wake_at BIGINT, 
	held TEXT, 
	failed BOOLEAN NOT NULL, 
	outcome VARCHAR, 
	reason TEXT, 
	ended_at BIGINT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(event_id) REFERENCES event (id), 
	FOREIGN KEY(version) REFERENCES version (hash)
);
INSERT INTO "case" VALUES('g2ny64fwy2','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27','7p5ceqt8ah',NULL,1,1795395600000000,'ended',5,NULL,3,NULL,NULL,0,'done',NULL,1795478400000000);
INSERT INTO "case" VALUES('dkc42sxabh','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27','42hkrjb572',NULL,3,1795395600000000,'assigned',4,1795478400000000,2,NULL,NULL,0,NULL,NULL,NULL);
INSERT INTO "case" VALUES('ha3ydqhhcv','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27','azb89z3y7d',NULL,5,1795395600000000,'parked',3,1795478400000000,2,NULL,NULL,0,NULL,NULL,NULL);
INSERT INTO "case" VALUES('8e7sa5qnzg','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27','wm4nz9feud',NULL,7,1795395600000000,'parked',3,1795478400000000,2,NULL,NULL,0,NULL,NULL,NULL);
INSERT INTO "case" VALUES('jcg3eeuxah','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27','y653tt62m9',NULL,9,1795478400000000,'waiting',1,1795478400000000,1,1795564800000000,NULL,0,NULL,NULL,NULL);
CREATE TABLE connection (
	name VARCHAR NOT NULL, 
	paused TEXT, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE consent (
	id INTEGER NOT NULL, 
	party_id VARCHAR NOT NULL, 
	purpose VARCHAR NOT NULL, 
	medium VARCHAR, 
	given BOOLEAN NOT NULL, 
	at BIGINT NOT NULL, 
	wording TEXT NOT NULL, 
	event_id INTEGER, 
	PRIMARY KEY (id), 
	FOREIGN KEY(event_id) REFERENCES event (id), 
	FOREIGN KEY(party_id) REFERENCES party (id)
);
CREATE TABLE effect (
	id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	case_id VARCHAR, 
	assignment_id VARCHAR, 
	party_id VARCHAR, 
	step VARCHAR, 
	connection VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	effect_class VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	message VARCHAR, 
	attempt INTEGER NOT NULL, 
	made_at BIGINT NOT NULL, 
	next_at BIGINT, 
	valid_until BIGINT, 
	started_at BIGINT, 
	unclear_since BIGINT, 
	bulk_id INTEGER, 
	ended_at BIGINT, 
	reason TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(bulk_id) REFERENCES effect (id), 
	FOREIGN KEY(case_id) REFERENCES "case" (id), 
	UNIQUE ("key")
);
INSERT INTO "effect" VALUES(1,'g2ny64fwy2/greet/alimtalk','g2ny64fwy2',NULL,'7p5ceqt8ah','greet','outbox','send','repeat','done','hello',1,1795478400000000,NULL,NULL,1795478400000000,NULL,NULL,1795478400000000,NULL);
INSERT INTO "effect" VALUES(2,'dkc42sxabh/greet/alimtalk','dkc42sxabh',NULL,'42hkrjb572','greet','outbox','send','repeat','done','hello',1,1795478400000000,NULL,NULL,1795478400000000,NULL,NULL,1795478400000000,NULL);
INSERT INTO "effect" VALUES(3,'ha3ydqhhcv/greet/alimtalk','ha3ydqhhcv',NULL,'azb89z3y7d','greet','outbox','send','repeat','done','hello',1,1795478400000000,NULL,NULL,1795478400000000,NULL,NULL,1795478400000000,NULL);
INSERT INTO "effect" VALUES(4,'8e7sa5qnzg/greet/alimtalk','8e7sa5qnzg',NULL,'wm4nz9feud','greet','outbox','send','repeat','done','hello',1,1795478400000000,NULL,NULL,1795478400000000,NULL,NULL,1795478400000000,NULL);
INSERT INTO "effect" VALUES(5,'g2ny64fwy2/post','g2ny64fwy2',NULL,'7p5ceqt8ah','post','sink','post','once','done',NULL,1,1795478400000000,NULL,NULL,1795478400000000,NULL,NULL,1795478400000000,NULL);
INSERT INTO "effect" VALUES(6,'dkc42sxabh/post','dkc42sxabh',NULL,'42hkrjb572','post','sink','post','once','done',NULL,1,1795478400000000,NULL,NULL,1795478400000000,NULL,NULL,1795478400000000,NULL);
INSERT INTO "effect" VALUES(7,'ha3ydqhhcv/post','ha3ydqhhcv',NULL,'azb89z3y7d','post','sink','post','once','due',NULL,1,1795478400000000,1795478400817182,NULL,1795478400000000,NULL,NULL,NULL,'down');
INSERT INTO "effect" VALUES(8,'8e7sa5qnzg/post','8e7sa5qnzg',NULL,'wm4nz9feud','post','sink','post','once','sending',NULL,1,1795478400000000,NULL,NULL,1795478400000000,NULL,NULL,NULL,'down');
INSERT INTO "effect" VALUES(9,'aewmzq3y2y/open',NULL,'aewmzq3y2y',NULL,NULL,'outbox','send','repeat','done',NULL,1,1795478400000000,NULL,NULL,1795478400000000,NULL,NULL,1795478400000000,NULL);
INSERT INTO "effect" VALUES(10,'798x3tadxd/open',NULL,'798x3tadxd',NULL,NULL,'outbox','send','repeat','done',NULL,1,1795478400000000,NULL,NULL,1795478400000000,NULL,NULL,1795478400000000,NULL);
CREATE TABLE event (
	id INTEGER NOT NULL, 
	connection VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	at BIGINT NOT NULL, 
	state VARCHAR NOT NULL, 
	reason TEXT, 
	subject VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (connection, "key")
);
INSERT INTO "event" VALUES(1,'form','ended','form.submitted',1795395600000000,'decided',NULL,NULL);
INSERT INTO "event" VALUES(2,'ledger','r9e37qv2ty','exchange.recorded',1795395600000000,'decided',NULL,'r9e37qv2ty');
INSERT INTO "event" VALUES(3,'form','asked','form.submitted',1795395600000000,'decided',NULL,NULL);
INSERT INTO "event" VALUES(4,'ledger','qf6vh9ygr4','exchange.recorded',1795395600000000,'decided',NULL,'qf6vh9ygr4');
INSERT INTO "event" VALUES(5,'form','parked','form.submitted',1795395600000000,'decided',NULL,NULL);
INSERT INTO "event" VALUES(6,'ledger','evwnkpz8bw','exchange.recorded',1795395600000000,'decided',NULL,'evwnkpz8bw');
INSERT INTO "event" VALUES(7,'form','cut','form.submitted',1795395600000000,'decided',NULL,NULL);
INSERT INTO "event" VALUES(8,'ledger','f6tk6jb5g6','exchange.recorded',1795395600000000,'decided',NULL,'f6tk6jb5g6');
INSERT INTO "event" VALUES(9,'form','waiting','form.submitted',1795478400000000,'decided',NULL,NULL);
INSERT INTO "event" VALUES(10,'ledger','bjmwvgw6g3','exchange.recorded',1795478400000000,'decided',NULL,'bjmwvgw6g3');
CREATE TABLE exchange (
	id VARCHAR NOT NULL, 
	party_id VARCHAR NOT NULL, 
	at BIGINT NOT NULL, 
	day VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	direction VARCHAR NOT NULL, 
	channel VARCHAR, 
	shop VARCHAR, 
	sale VARCHAR, 
	amount VARCHAR, 
	net_amount VARCHAR, 
	currency VARCHAR, 
	quantity INTEGER, 
	until VARCHAR, 
	system VARCHAR, 
	reference VARCHAR, 
	event_id INTEGER, 
	case_id VARCHAR, 
	recorded_by VARCHAR NOT NULL, 
	voids VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(case_id) REFERENCES "case" (id), 
	FOREIGN KEY(event_id) REFERENCES event (id), 
	FOREIGN KEY(party_id) REFERENCES party (id), 
	UNIQUE (system, reference)
);
INSERT INTO "exchange" VALUES('r9e37qv2ty','7p5ceqt8ah',1795395600000000,'2026-11-23','apply','in',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'digilog','g2ny64fwy2/note',NULL,'g2ny64fwy2','machine',NULL);
INSERT INTO "exchange" VALUES('qf6vh9ygr4','42hkrjb572',1795395600000000,'2026-11-23','apply','in',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'digilog','dkc42sxabh/note',NULL,'dkc42sxabh','machine',NULL);
INSERT INTO "exchange" VALUES('evwnkpz8bw','azb89z3y7d',1795395600000000,'2026-11-23','apply','in',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'digilog','ha3ydqhhcv/note',NULL,'ha3ydqhhcv','machine',NULL);
INSERT INTO "exchange" VALUES('f6tk6jb5g6','wm4nz9feud',1795395600000000,'2026-11-23','apply','in',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'digilog','8e7sa5qnzg/note',NULL,'8e7sa5qnzg','machine',NULL);
INSERT INTO "exchange" VALUES('bjmwvgw6g3','y653tt62m9',1795478400000000,'2026-11-24','apply','in',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'digilog','jcg3eeuxah/note',NULL,'jcg3eeuxah','machine',NULL);
CREATE TABLE expected (
	subject VARCHAR NOT NULL, 
	since BIGINT NOT NULL, 
	"by" BIGINT NOT NULL, 
	told_at BIGINT, 
	daily_at BIGINT, 
	over_at BIGINT, 
	PRIMARY KEY (subject)
);
CREATE TABLE journal (
	id INTEGER NOT NULL, 
	case_id VARCHAR NOT NULL, 
	playbook VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	leg INTEGER NOT NULL, 
	step VARCHAR, 
	attempt INTEGER NOT NULL, 
	state VARCHAR NOT NULL, 
	"by" VARCHAR, 
	started_at BIGINT, 
	at BIGINT NOT NULL, 
	reason TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(case_id) REFERENCES "case" (id)
);
INSERT INTO "journal" VALUES(1,'g2ny64fwy2','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,NULL,1,'opened',NULL,1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(2,'g2ny64fwy2','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,'note',1,'done','machine',1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(3,'g2ny64fwy2','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,'pause',1,'waiting',NULL,1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(4,'dkc42sxabh','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,NULL,1,'opened',NULL,1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(5,'dkc42sxabh','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,'note',1,'done','machine',1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(6,'dkc42sxabh','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,'pause',1,'waiting',NULL,1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(7,'ha3ydqhhcv','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,NULL,1,'opened',NULL,1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(8,'ha3ydqhhcv','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,'note',1,'done','machine',1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(9,'ha3ydqhhcv','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,'pause',1,'waiting',NULL,1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(10,'8e7sa5qnzg','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,NULL,1,'opened',NULL,1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(11,'8e7sa5qnzg','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,'note',1,'done','machine',1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(12,'8e7sa5qnzg','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,'pause',1,'waiting',NULL,1795395600000000,1795395600000000,NULL);
INSERT INTO "journal" VALUES(13,'g2ny64fwy2','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'pause',1,'done',NULL,1795395600000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(14,'dkc42sxabh','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'pause',1,'done',NULL,1795395600000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(15,'ha3ydqhhcv','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'pause',1,'done',NULL,1795395600000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(16,'8e7sa5qnzg','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'pause',1,'done',NULL,1795395600000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(17,'g2ny64fwy2','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'greet',1,'done','machine',1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(18,'dkc42sxabh','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'greet',1,'done','machine',1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(19,'ha3ydqhhcv','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'greet',1,'done','machine',1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(20,'8e7sa5qnzg','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'greet',1,'done','machine',1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(21,'g2ny64fwy2','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'post',1,'done','machine',1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(22,'g2ny64fwy2','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'call',1,'assigned',NULL,1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(23,'dkc42sxabh','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'post',1,'done','machine',1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(24,'dkc42sxabh','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'call',1,'assigned',NULL,1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(25,'ha3ydqhhcv','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'post',1,'parked',NULL,1795478400000000,1795478400000000,'down');
INSERT INTO "journal" VALUES(26,'8e7sa5qnzg','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',2,'post',1,'parked',NULL,1795478400000000,1795478400000000,'down');
INSERT INTO "journal" VALUES(27,'g2ny64fwy2','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',3,'call',1,'done','yoon',1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(28,'g2ny64fwy2','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',3,NULL,1,'ended',NULL,1795478400000000,1795478400000000,'done');
INSERT INTO "journal" VALUES(29,'jcg3eeuxah','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,NULL,1,'opened',NULL,1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(30,'jcg3eeuxah','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,'note',1,'done','machine',1795478400000000,1795478400000000,NULL);
INSERT INTO "journal" VALUES(31,'jcg3eeuxah','visit','8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27',1,'pause',1,'waiting',NULL,1795478400000000,1795478400000000,NULL);
CREATE TABLE party (
	id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	made_at BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "party" VALUES('7p5ceqt8ah','person',1795395600000000);
INSERT INTO "party" VALUES('42hkrjb572','person',1795395600000000);
INSERT INTO "party" VALUES('azb89z3y7d','person',1795395600000000);
INSERT INTO "party" VALUES('wm4nz9feud','person',1795395600000000);
INSERT INTO "party" VALUES('y653tt62m9','person',1795478400000000);
CREATE TABLE private_assignment (
	assignment_id VARCHAR NOT NULL, 
	party_id VARCHAR, 
	answers TEXT NOT NULL, 
	note TEXT, 
	retain_until BIGINT, 
	PRIMARY KEY (assignment_id), 
	FOREIGN KEY(assignment_id) REFERENCES assignment (id)
);
INSERT INTO "private_assignment" VALUES('aewmzq3y2y','7p5ceqt8ah','{}',NULL,1803254400000000);
INSERT INTO "private_assignment" VALUES('798x3tadxd','42hkrjb572','{}',NULL,1803254400000000);
CREATE TABLE private_case (
	case_id VARCHAR NOT NULL, 
	party_id VARCHAR, 
	data TEXT NOT NULL, 
	retain_until BIGINT, 
	PRIMARY KEY (case_id), 
	FOREIGN KEY(case_id) REFERENCES "case" (id)
);
INSERT INTO "private_case" VALUES('g2ny64fwy2','7p5ceqt8ah','{"fields":{"name":"ended","phone":"+821012340000"},"results":{"note":{"id":"r9e37qv2ty","stage":"apply"},"pause":{"happened":false},"greet":{"id":"g2ny64fwy2~greet~alimtalk.txt","medium":"alimtalk","to":"+821012340000","at":{"@datetime":"2026-11-24T00:00:00+00:00"},"state":"kept"},"post":{"id":7},"call":{}}}',1803171600000000);
INSERT INTO "private_case" VALUES('dkc42sxabh','42hkrjb572','{"fields":{"name":"asked","phone":"+821012340001"},"results":{"note":{"id":"qf6vh9ygr4","stage":"apply"},"pause":{"happened":false},"greet":{"id":"dkc42sxabh~greet~alimtalk.txt","medium":"alimtalk","to":"+821012340001","at":{"@datetime":"2026-11-24T00:00:00+00:00"},"state":"kept"},"post":{"id":7}}}',1803171600000000);
INSERT INTO "private_case" VALUES('ha3ydqhhcv','azb89z3y7d','{"fields":{"name":"parked","phone":"+821012340002"},"results":{"note":{"id":"evwnkpz8bw","stage":"apply"},"pause":{"happened":false},"greet":{"id":"ha3ydqhhcv~greet~alimtalk.txt","medium":"alimtalk","to":"+821012340002","at":{"@datetime":"2026-11-24T00:00:00+00:00"},"state":"kept"}}}',1803171600000000);
INSERT INTO "private_case" VALUES('8e7sa5qnzg','wm4nz9feud','{"fields":{"name":"cut","phone":"+821012340003"},"results":{"note":{"id":"f6tk6jb5g6","stage":"apply"},"pause":{"happened":false},"greet":{"id":"8e7sa5qnzg~greet~alimtalk.txt","medium":"alimtalk","to":"+821012340003","at":{"@datetime":"2026-11-24T00:00:00+00:00"},"state":"kept"}}}',1803171600000000);
INSERT INTO "private_case" VALUES('jcg3eeuxah','y653tt62m9','{"fields":{"name":"waiting","phone":"+821012340004"},"results":{"note":{"id":"bjmwvgw6g3","stage":"apply"}}}',1803254400000000);
CREATE TABLE private_contact (
	id INTEGER NOT NULL, 
	party_id VARCHAR NOT NULL, 
	party_kind VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	retain_until BIGINT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(party_id) REFERENCES party (id)
);
INSERT INTO "private_contact" VALUES(1,'7p5ceqt8ah','person','phone','+821012340000',NULL);
INSERT INTO "private_contact" VALUES(2,'7p5ceqt8ah','person','name','ended',NULL);
INSERT INTO "private_contact" VALUES(3,'42hkrjb572','person','phone','+821012340001',NULL);
INSERT INTO "private_contact" VALUES(4,'42hkrjb572','person','name','asked',NULL);
INSERT INTO "private_contact" VALUES(5,'azb89z3y7d','person','phone','+821012340002',NULL);
INSERT INTO "private_contact" VALUES(6,'azb89z3y7d','person','name','parked',NULL);
INSERT INTO "private_contact" VALUES(7,'wm4nz9feud','person','phone','+821012340003',NULL);
INSERT INTO "private_contact" VALUES(8,'wm4nz9feud','person','name','cut',NULL);
INSERT INTO "private_contact" VALUES(9,'y653tt62m9','person','phone','+821012340004',NULL);
INSERT INTO "private_contact" VALUES(10,'y653tt62m9','person','name','waiting',NULL);
CREATE TABLE private_effect (
	effect_id INTEGER NOT NULL, 
	party_id VARCHAR, 
	arguments TEXT NOT NULL, 
	result TEXT, 
	retain_until BIGINT, 
	PRIMARY KEY (effect_id), 
	FOREIGN KEY(effect_id) REFERENCES effect (id)
);
INSERT INTO "private_effect" VALUES(1,'7p5ceqt8ah','{"medium":"alimtalk","to":"+821012340000","text":"ended님 안녕하세요","subject":"","message":"hello"}','{"id":"g2ny64fwy2~greet~alimtalk.txt","medium":"alimtalk","to":"+821012340000","at":{"@datetime":"2026-11-24T00:00:00+00:00"},"state":"kept"}',1803254400000000);
INSERT INTO "private_effect" VALUES(2,'42hkrjb572','{"medium":"alimtalk","to":"+821012340001","text":"asked님 안녕하세요","subject":"","message":"hello"}','{"id":"dkc42sxabh~greet~alimtalk.txt","medium":"alimtalk","to":"+821012340001","at":{"@datetime":"2026-11-24T00:00:00+00:00"},"state":"kept"}',1803254400000000);
INSERT INTO "private_effect" VALUES(3,'azb89z3y7d','{"medium":"alimtalk","to":"+821012340002","text":"parked님 안녕하세요","subject":"","message":"hello"}','{"id":"ha3ydqhhcv~greet~alimtalk.txt","medium":"alimtalk","to":"+821012340002","at":{"@datetime":"2026-11-24T00:00:00+00:00"},"state":"kept"}',1803254400000000);
INSERT INTO "private_effect" VALUES(4,'wm4nz9feud','{"medium":"alimtalk","to":"+821012340003","text":"cut님 안녕하세요","subject":"","message":"hello"}','{"id":"8e7sa5qnzg~greet~alimtalk.txt","medium":"alimtalk","to":"+821012340003","at":{"@datetime":"2026-11-24T00:00:00+00:00"},"state":"kept"}',1803254400000000);
INSERT INTO "private_effect" VALUES(5,'7p5ceqt8ah','{"path":"/x","body":{"name":"ended"}}','{"id":7}',1803254400000000);
INSERT INTO "private_effect" VALUES(6,'42hkrjb572','{"path":"/x","body":{"name":"asked"}}','{"id":7}',1803254400000000);
INSERT INTO "private_effect" VALUES(7,'azb89z3y7d','{"path":"/x","body":{"name":"parked"}}',NULL,1803254400000000);
INSERT INTO "private_effect" VALUES(8,'wm4nz9feud','{"path":"/x","body":{"name":"cut"}}',NULL,1803254400000000);
INSERT INTO "private_effect" VALUES(9,NULL,'{"medium":"team","to":"yoon@onda.example","text":"[새 할 일] call을 한다\n방문 상담: 고객이 답을 받는다.\n마감: 2026-11-24 13:00\n여기서 처리: http://127.0.0.1/work/aewmzq3y2y.1796688000.6hNJp6X-YTFil67-ynR19954","subject":"[새 할 일] call을 한다","message":""}','{"id":"aewmzq3y2y~open.txt","medium":"team","to":"yoon@onda.example","at":{"@datetime":"2026-11-24T00:00:00+00:00"},"state":"kept"}',1803254400000000);
INSERT INTO "private_effect" VALUES(10,NULL,'{"medium":"team","to":"yoon@onda.example","text":"[새 할 일] call을 한다\n방문 상담: 고객이 답을 받는다.\n마감: 2026-11-24 13:00\n여기서 처리: http://127.0.0.1/work/798x3tadxd.1796688000.smvYZ9Uu_v74q_1YZiuMowUh","subject":"[새 할 일] call을 한다","message":""}','{"id":"798x3tadxd~open.txt","medium":"team","to":"yoon@onda.example","at":{"@datetime":"2026-11-24T00:00:00+00:00"},"state":"kept"}',1803254400000000);
CREATE TABLE private_event (
	event_id INTEGER NOT NULL, 
	party_id VARCHAR, 
	body BLOB NOT NULL, 
	headers TEXT NOT NULL, 
	retain_until BIGINT, 
	PRIMARY KEY (event_id), 
	FOREIGN KEY(event_id) REFERENCES event (id)
);
INSERT INTO "private_event" VALUES(1,'7p5ceqt8ah',X'7B22EC9DB4EBA684223A2022656E646564222C2022EC97B0EB9DBDECB298223A20223031302D313233342D30303030227D','{}',1803171600000000);
INSERT INTO "private_event" VALUES(3,'42hkrjb572',X'7B22EC9DB4EBA684223A202261736B6564222C2022EC97B0EB9DBDECB298223A20223031302D313233342D30303031227D','{}',1803171600000000);
INSERT INTO "private_event" VALUES(5,'azb89z3y7d',X'7B22EC9DB4EBA684223A20227061726B6564222C2022EC97B0EB9DBDECB298223A20223031302D313233342D30303032227D','{}',1803171600000000);
INSERT INTO "private_event" VALUES(7,'wm4nz9feud',X'7B22EC9DB4EBA684223A2022637574222C2022EC97B0EB9DBDECB298223A20223031302D313233342D30303033227D','{}',1803171600000000);
INSERT INTO "private_event" VALUES(9,'y653tt62m9',X'7B22EC9DB4EBA684223A202277616974696E67222C2022EC97B0EB9DBDECB298223A20223031302D313233342D30303034227D','{}',1803254400000000);
CREATE TABLE private_exchange (
	exchange_id VARCHAR NOT NULL, 
	party_id VARCHAR, 
	note TEXT NOT NULL, 
	retain_until BIGINT, 
	PRIMARY KEY (exchange_id), 
	FOREIGN KEY(exchange_id) REFERENCES exchange (id)
);
INSERT INTO "private_exchange" VALUES('r9e37qv2ty','7p5ceqt8ah','ended',1803171600000000);
INSERT INTO "private_exchange" VALUES('qf6vh9ygr4','42hkrjb572','asked',1803171600000000);
INSERT INTO "private_exchange" VALUES('evwnkpz8bw','azb89z3y7d','parked',1803171600000000);
INSERT INTO "private_exchange" VALUES('f6tk6jb5g6','wm4nz9feud','cut',1803171600000000);
INSERT INTO "private_exchange" VALUES('bjmwvgw6g3','y653tt62m9','waiting',1803254400000000);
CREATE TABLE reading (
	id INTEGER NOT NULL, 
	metric VARCHAR NOT NULL, 
	channel VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	day VARCHAR NOT NULL, 
	revision INTEGER NOT NULL, 
	value VARCHAR, 
	status VARCHAR NOT NULL, 
	finality VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	pull VARCHAR, 
	at BIGINT NOT NULL, 
	"by" VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (metric, channel, account, day, revision)
);
CREATE TABLE run (
	id VARCHAR NOT NULL, 
	playbook VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	flow_run VARCHAR, 
	state VARCHAR NOT NULL, 
	opened_at BIGINT NOT NULL, 
	ended_at BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (flow_run)
);
CREATE TABLE run_case (
	run_id VARCHAR NOT NULL, 
	case_id VARCHAR NOT NULL, 
	leg INTEGER NOT NULL, 
	PRIMARY KEY (run_id, case_id, leg), 
	FOREIGN KEY(case_id) REFERENCES "case" (id), 
	FOREIGN KEY(run_id) REFERENCES run (id)
);
CREATE TABLE setting (
	name VARCHAR NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE version (
	hash VARCHAR NOT NULL, 
	playbook VARCHAR NOT NULL, 
	text TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	PRIMARY KEY (hash)
);
INSERT INTO "version" VALUES('8523e0ed52a4e4a20cf63b8fec9d91c75d788edcb4d379015d13caae50822c27','visit','{
 "playbook": "visit",
 "state": "operate",
 "title": "방문 상담",
 "system": "customer",
 "stage": "apply",
 "owner": "manager",
 "purpose": "고객이 답을 받는다.",
 "start": {
  "event": "form.submitted",
  "connection": "form"
 },
 "fields": {
  "name": {
   "type": "text",
   "label": "이름"
  },
  "phone": {
   "type": "phone",
   "label": "연락처"
  }
 },
 "case": "phone",
 "steps": [
  {
   "id": "note",
   "do": "note을 한다",
   "by": "machine",
   "use": "ledger.record",
   "with": {
    "kind": "apply",
    "note": "{{ name }}"
   },
   "by_hand": "3m",
   "expect": "되어 있다"
  },
  {
   "id": "pause",
   "do": "기다린다",
   "wait": "tomorrow 09:00"
  },
  {
   "id": "greet",
   "do": "greet을 한다",
   "by": "machine",
   "use": "message.send",
   "with": {
    "message": "hello",
    "values": {
     "name": "{{ name }}"
    }
   },
   "by_hand": "3m",
   "expect": "되어 있다"
  },
  {
   "id": "post",
   "do": "post을 한다",
   "by": "machine",
   "use": "sink.post",
   "with": {
    "path": "/x",
    "body": {
     "name": "{{ name }}"
    }
   },
   "by_hand": "3m",
   "expect": "되어 있다"
  },
  {
   "id": "call",
   "do": "call을 한다",
   "by": "manager",
   "by_hand": "3m",
   "expect": "되어 있다",
   "due": "4 business hours"
  }
 ]
}',1795395600000000);
CREATE INDEX event_new ON event (id) WHERE state = 'new';
CREATE INDEX case_ended ON "case" (ended_at, id);
CREATE INDEX case_open ON "case" (playbook, party_id, status);
CREATE INDEX case_wake ON "case" (wake_at);
CREATE INDEX ix_case_event_id ON "case" (event_id);
CREATE INDEX ix_case_party_id ON "case" (party_id);
CREATE INDEX ix_consent_event_id ON consent (event_id);
CREATE INDEX ix_consent_party_id ON consent (party_id);
CREATE INDEX contact_value ON private_contact (party_kind, kind, value);
CREATE INDEX ix_private_contact_party_id ON private_contact (party_id);
CREATE INDEX assignment_next ON assignment (state, next_at);
CREATE INDEX ix_assignment_case_id ON assignment (case_id);
CREATE INDEX effect_bulk ON effect (bulk_id) WHERE bulk_id IS NOT NULL;
CREATE INDEX effect_next ON effect (state, next_at);
CREATE INDEX effect_order ON effect (party_id, connection, state);
CREATE INDEX ix_effect_case_id ON effect (case_id);
CREATE INDEX ix_exchange_case_id ON exchange (case_id);
CREATE INDEX ix_exchange_day ON exchange (day);
CREATE INDEX ix_exchange_event_id ON exchange (event_id);
CREATE INDEX ix_exchange_party_id ON exchange (party_id);
CREATE INDEX ix_journal_case_id ON journal (case_id);
CREATE INDEX run_case_case ON run_case (case_id, leg);
COMMIT;
