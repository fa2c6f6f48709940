-- A noon as revision 0002 knew it: attended, cancelled, promoted and released with a strike, expired, waiting.
INSERT INTO "person" (id, email, name, phone, company, language, password_hash, is_admin, wants_digest, wants_manager_digest, acts, created_at, disabled_at, deleted_at) VALUES
  ('1', '周明@example.com', '周明', '', '', 'zh_Hans_CN', NULL, '0', '1', '1', '1', '2026-11-16 01:00:00', NULL, NULL),
  ('2', '李静@example.com', '李静', '', '', 'zh_Hans_CN', NULL, '0', '1', '1', '2', '2026-11-16 01:00:00', NULL, NULL),
  ('3', '王磊@example.com', '王磊', '', '', 'zh_Hans_CN', NULL, '0', '1', '1', '2', '2026-11-16 01:00:00', NULL, NULL),
  ('4', '陈晨@example.com', '陈晨', '', '', 'zh_Hans_CN', NULL, '0', '1', '1', '2', '2026-11-16 01:00:00', NULL, NULL),
  ('5', '刘洋@example.com', '刘洋', '', '', 'zh_Hans_CN', NULL, '0', '1', '1', '2', '2026-11-16 01:00:00', NULL, NULL),
  ('6', '赵敏@example.com', '赵敏', '', '', 'zh_Hans_CN', NULL, '0', '1', '1', '1', '2026-11-16 01:00:00', NULL, NULL),
  ('7', '孙悦@example.com', '孙悦', '', '', 'zh_Hans_CN', NULL, '0', '1', '1', '1', '2026-11-16 01:00:00', NULL, NULL),
  ('8', '吴桐@example.com', '吴桐', '', '', 'zh_Hans_CN', NULL, '0', '1', '1', '1', '2026-11-16 01:00:00', NULL, NULL),
  ('9', '林经理@example.com', '林经理', '', '', 'zh_Hans_CN', NULL, '0', '1', '1', '0', '2026-11-16 01:00:00', NULL, NULL);
INSERT INTO "station" (id, code, name, name_en, address, address_en, latitude, longitude, zone_name, policy, door_secret, shows_headline, closed_at) VALUES
  ('1', 'cbd', 'cbd 白领驿站', '', '', '', NULL, NULL, 'Asia/Shanghai', '{}', '3cf396a86e86a165d4d7ac59ee03362d4d236eaf', '0', NULL);
INSERT INTO "activity" (id, station_id, kind, title, title_en, text, text_en, host, host_en, bring, bring_en, suits, suits_en, picture, retired_at) VALUES
  ('1', '1', 'yoga', '白领瑜伽课堂', '', '', '', '', '', '', '', '', '', 'default', NULL);
INSERT INTO "manages" (person_id, station_id, since) VALUES
  ('9', '1', '2026-11-16 01:00:00');
INSERT INTO "zone" (id, station_id, name, name_en, capacity, closed_at) VALUES
  ('1', '1', '场地 0', '', '1000', NULL),
  ('2', '1', '场地 1', '', '1000', NULL);
INSERT INTO "slot" (id, station_id, plan_id, activity_id, zone_id, date, opens_at, free_until, line_until, checkin_from, starts_at, release_at, ends_at, capacity, taken, waiting, line_last, state, host, cancel_reason, released_at, release_held_at) VALUES
  ('1', '1', NULL, '1', '1', '2026-11-24', '2026-11-23 02:00:00', '2026-11-24 03:10:00', '2026-11-24 03:40:00', '2026-11-24 03:55:00', '2026-11-24 04:10:00', '2026-11-24 04:15:00', '2026-11-24 05:00:00', '2', '1', '0', '3', 'running', NULL, NULL, '2026-11-24 04:15:00', NULL),
  ('2', '1', NULL, '1', '2', '2026-11-24', '2026-11-23 02:00:00', '2026-11-24 04:10:00', '2026-11-24 04:40:00', '2026-11-24 04:55:00', '2026-11-24 05:10:00', '2026-11-24 05:15:00', '2026-11-24 06:00:00', '2', '2', '1', '1', 'open', NULL, NULL, NULL, NULL);
INSERT INTO "booking" (id, slot_id, station_id, person_id, state, via, line_no, key, ticket, created_at, seated_at, standby_at, checked_in_at, ended_at, end_reason, late, skipped) VALUES
  ('1', '1', '1', '1', 'attended', 'tap', NULL, NULL, '30aEMoPuBQ8uS44tg1nwtA', '2026-11-23 02:00:00', '2026-11-23 02:00:00', NULL, '2026-11-24 04:00:00', NULL, NULL, '0', NULL),
  ('2', '1', '1', '2', 'cancelled', 'tap', NULL, NULL, 'gZQcAw2EHDzGs9InYtnLmA', '2026-11-23 02:00:00', '2026-11-23 02:00:00', NULL, NULL, '2026-11-23 07:00:00', 'given_up', '0', NULL),
  ('3', '1', '1', '3', 'released', 'line', '1', NULL, 'a7cd67csLy2WBuy7Gy5EVQ', '2026-11-23 02:00:00', '2026-11-23 07:00:00', NULL, NULL, '2026-11-24 04:15:00', 'released', '0', NULL),
  ('4', '1', '1', '4', 'expired', 'tap', '2', NULL, '-iWkscXo9DwW6d93i-Z0IQ', '2026-11-23 02:00:00', NULL, NULL, NULL, '2026-11-24 04:10:00', 'expired', '0', NULL),
  ('5', '1', '1', '5', 'expired', 'tap', '3', NULL, '5FVl98WBjCant6O-mEkyRg', '2026-11-23 02:00:00', NULL, NULL, NULL, '2026-11-24 04:10:00', 'expired', '0', NULL),
  ('6', '2', '1', '6', 'booked', 'tap', NULL, NULL, 'TubTwztlwmPpxbsEu3xntg', '2026-11-23 02:00:00', '2026-11-23 02:00:00', NULL, NULL, NULL, NULL, '0', NULL),
  ('7', '2', '1', '7', 'booked', 'tap', NULL, NULL, 'Cg7yqxhTUE77H5mOmkjYmw', '2026-11-23 02:00:00', '2026-11-23 02:00:00', NULL, NULL, NULL, NULL, '0', NULL),
  ('8', '2', '1', '8', 'waiting', 'tap', '1', NULL, 'Rs3zv3A-obfWV8dJC-h3Lw', '2026-11-23 02:00:00', NULL, NULL, NULL, NULL, NULL, '0', NULL);
INSERT INTO "event" (id, at, kind, station_id, slot_id, booking_id, plan_id, person_id, actor_id, before, after, reason, details) VALUES
  ('1', '2026-11-16 01:00:00', 'planned', '1', '1', NULL, NULL, NULL, NULL, NULL, 'planned', NULL, '{"capacity": 2}'),
  ('2', '2026-11-16 01:00:00', 'planned', '1', '2', NULL, NULL, NULL, NULL, NULL, 'planned', NULL, '{"capacity": 2}'),
  ('3', '2026-11-23 02:00:00', 'booked', '1', '1', '1', NULL, '1', '1', NULL, 'booked', NULL, '{}'),
  ('4', '2026-11-23 02:00:00', 'booked', '1', '1', '2', NULL, '2', '2', NULL, 'booked', NULL, '{}'),
  ('5', '2026-11-23 02:00:00', 'waiting', '1', '1', '3', NULL, '3', '3', NULL, 'waiting', NULL, '{}'),
  ('6', '2026-11-23 02:00:00', 'waiting', '1', '1', '4', NULL, '4', '4', NULL, 'waiting', NULL, '{}'),
  ('7', '2026-11-23 02:00:00', 'waiting', '1', '1', '5', NULL, '5', '5', NULL, 'waiting', NULL, '{}'),
  ('8', '2026-11-23 02:00:00', 'booked', '1', '2', '6', NULL, '6', '6', NULL, 'booked', NULL, '{}'),
  ('9', '2026-11-23 02:00:00', 'booked', '1', '2', '7', NULL, '7', '7', NULL, 'booked', NULL, '{}'),
  ('10', '2026-11-23 02:00:00', 'waiting', '1', '2', '8', NULL, '8', '8', NULL, 'waiting', NULL, '{}'),
  ('11', '2026-11-23 07:00:00', 'given_up', '1', '1', '2', NULL, '2', '2', 'booked', 'cancelled', NULL, '{}'),
  ('12', '2026-11-23 07:00:00', 'promoted', '1', '1', '3', NULL, '3', NULL, 'waiting', 'booked', NULL, '{}'),
  ('13', '2026-11-24 04:00:00', 'checked_in', '1', '1', '1', NULL, '1', '9', 'booked', 'attended', NULL, '{}'),
  ('14', '2026-11-24 04:10:00', 'opened', '1', '2', NULL, NULL, NULL, NULL, 'planned', 'open', NULL, '{}'),
  ('15', '2026-11-24 04:10:00', 'started', '1', '1', NULL, NULL, NULL, NULL, 'planned', 'running', NULL, '{}'),
  ('16', '2026-11-24 04:10:00', 'expired', '1', '1', '4', NULL, '4', NULL, 'waiting', 'expired', NULL, '{}'),
  ('17', '2026-11-24 04:10:00', 'expired', '1', '1', '5', NULL, '5', NULL, 'waiting', 'expired', NULL, '{}'),
  ('18', '2026-11-24 04:15:00', 'released', '1', '1', '3', NULL, '3', NULL, 'booked', 'released', NULL, '{}'),
  ('19', '2026-11-24 04:15:00', 'strike', '1', '1', '3', NULL, '3', NULL, NULL, NULL, 'no_show', '{}');
INSERT INTO "letter" (id, kind, key, person_id, "to", language, slot_id, booking_id, details, message_id, state, tries, created_at, next_try_at, claimed_at, sent_at, error) VALUES
  ('1', 'confirmed', NULL, '1', NULL, NULL, '1', '1', '{}', '9d21264d83f0a2ef465dd29ba3478b20', 'queued', '0', '2026-11-23 02:00:00', '2026-11-23 02:00:00', NULL, NULL, ''),
  ('2', 'confirmed', NULL, '2', NULL, NULL, '1', '2', '{}', '2b09605f1aac2f83f3bd491b5172ab31', 'queued', '0', '2026-11-23 02:00:00', '2026-11-23 02:00:00', NULL, NULL, ''),
  ('3', 'confirmed', NULL, '6', NULL, NULL, '2', '6', '{}', '00fd27da040c508510f23ad86efc879d', 'queued', '0', '2026-11-23 02:00:00', '2026-11-23 02:00:00', NULL, NULL, ''),
  ('4', 'confirmed', NULL, '7', NULL, NULL, '2', '7', '{}', '8405e88a8747e408481b9aba3034c064', 'queued', '0', '2026-11-23 02:00:00', '2026-11-23 02:00:00', NULL, NULL, ''),
  ('5', 'promoted', NULL, '3', NULL, NULL, '1', '3', '{}', '584f8806dfb4904507f8ce0a2bae3f4c', 'queued', '0', '2026-11-23 07:00:00', '2026-11-23 07:00:00', NULL, NULL, ''),
  ('6', 'strike', NULL, '3', NULL, NULL, '1', NULL, '{"reason": "no_show", "warning": true}', '67beac670cf21cdc911ee701066137c3', 'queued', '0', '2026-11-24 04:15:00', '2026-11-24 04:15:00', NULL, NULL, '');
INSERT INTO "strike" (id, person_id, station_id, slot_id, booking_id, at, reason, forgiven_at, forgiven_by, forgive_reason) VALUES
  ('1', '3', '1', '1', '3', '2026-11-24 04:15:00', 'no_show', NULL, NULL, '');
