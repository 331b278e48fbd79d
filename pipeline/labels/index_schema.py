"""The tables of the index."""

SCHEMA_VERSION = 5
DAMAGED = "damaged"  # in `recordings.review`: nobody is given it until its label file is repaired
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE sets (name TEXT PRIMARY KEY, title TEXT, synthetic INTEGER, rubric TEXT) WITHOUT ROWID;
CREATE TABLE recordings (
    id TEXT PRIMARY KEY, set_name TEXT NOT NULL, speaker TEXT NOT NULL, text TEXT NOT NULL, part TEXT,
    duration_s REAL, order_key INTEGER NOT NULL, body TEXT NOT NULL,
    score REAL, n_raters INTEGER NOT NULL DEFAULT 0, source TEXT, evaluators TEXT, spread REAL,
    review TEXT NOT NULL DEFAULT '', requested INTEGER NOT NULL DEFAULT 0,
    assigned TEXT NOT NULL DEFAULT '[]', folded TEXT NOT NULL
);
CREATE INDEX recordings_by_order ON recordings (set_name, order_key);
CREATE INDEX recordings_by_state ON recordings (set_name, id, part, review, requested, assigned);
CREATE INDEX recordings_by_speaker ON recordings (set_name, speaker);
CREATE INDEX recordings_listed ON recordings (
    set_name, id, part, speaker, text, folded, score, spread, n_raters, review
);
CREATE TABLE ratings (
    recording_id TEXT NOT NULL, evaluator TEXT NOT NULL, set_name TEXT NOT NULL, source TEXT NOT NULL,
    action TEXT NOT NULL, score REAL, dimensions TEXT NOT NULL, at TEXT NOT NULL, notes TEXT NOT NULL,
    reason TEXT NOT NULL, marks TEXT NOT NULL, rubric TEXT NOT NULL, PRIMARY KEY (recording_id, evaluator)
) WITHOUT ROWID;
CREATE INDEX ratings_by_evaluator ON ratings (evaluator, set_name, at);
CREATE INDEX ratings_set_aside ON ratings (set_name, recording_id) WHERE action IN ('skip', 'flag');
CREATE TABLE events (
    recording_id TEXT NOT NULL, number INTEGER NOT NULL, set_name TEXT NOT NULL, evaluator TEXT NOT NULL,
    action TEXT NOT NULL, at TEXT NOT NULL, source TEXT NOT NULL, body TEXT NOT NULL, project TEXT NOT NULL,
    purpose TEXT NOT NULL, stands INTEGER NOT NULL, PRIMARY KEY (recording_id, number)
) WITHOUT ROWID;
CREATE INDEX events_by_evaluator ON events (evaluator, set_name, at);
CREATE INDEX events_of_rater ON events (evaluator, set_name, recording_id, number, stands, action);
CREATE INDEX events_by_project ON events (project, evaluator, purpose);
CREATE TABLE comments (
    recording_id TEXT NOT NULL, number INTEGER NOT NULL, set_name TEXT NOT NULL, author TEXT NOT NULL,
    begun_by TEXT NOT NULL, audience TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (recording_id, number)
) WITHOUT ROWID;
CREATE INDEX comments_by_set ON comments (set_name, recording_id);
CREATE TABLE problems (
    set_name TEXT NOT NULL, recording_id TEXT, code TEXT NOT NULL, severity TEXT NOT NULL,
    path TEXT, body TEXT NOT NULL
);
CREATE INDEX problems_by_set ON problems (set_name);
"""
TABLES = ("meta", "sets", "recordings", "ratings", "events", "comments", "problems")
