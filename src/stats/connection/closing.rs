//! What is done when a command has its answer, and when a connection is over.

use super::super::Run;
use super::super::waste::{Deflated, Exchange, Login, RECOGNISED, Scene};
use super::{Connection, Open};
use crate::event::{Micros, Status};
use crate::limits;
use crate::session::Place;

impl Connection {
    pub(super) fn tagged(
        &mut self,
        at: Micros,
        place: &Place,
        status: Option<Status>,
        elapsed: Option<Micros>,
        run: &mut Run,
    ) {
        let Some(command) = place.commands.first() else {
            return;
        };
        let n = command.n;
        if !self.open.contains_key(&n) {
            return;
        }
        if command.name != "IDLE" && !self.batch.counted {
            self.batch.counted = true;
            let began = match self.open.contains_key(&self.batch.opener) {
                true => self.batch.opener,
                false => n,
            };
            if let Some(open) = self.open.get_mut(&began) {
                open.exchange.round_trips += 1;
            }
        }
        let Some(mut open) = self.open.remove(&n) else {
            return;
        };
        if command.name != "IDLE" {
            self.busy = self.busy.saturating_sub(1);
            if self.busy == 0 {
                self.figures.waiting.0 += at.since(self.batch.since).0;
                self.waited_until = at;
            }
        }
        self.answered = Some(at);
        open.exchange.status = status;
        open.exchange.latency = match (&*command.name, elapsed, open.idled) {
            ("IDLE", Some(elapsed), Some(idled)) => Some(elapsed.since(idled)),
            ("IDLE", _, None) => None,
            (_, elapsed, _) => elapsed,
        };
        self.figures.idling.0 += open.idled.unwrap_or_default().0;
        self.patterns.told.ended(n, status);
        let is_login = matches!(&*command.name, "LOGIN" | "AUTHENTICATE");
        if is_login && status == Some(Status::Ok) {
            self.log_in(at, &open, run);
        }
        self.change_mailbox(n, &command.name, status);
        self.finish(at, open, run);
    }

    fn log_in(&mut self, at: Micros, open: &Open, run: &mut Run) {
        self.logged_in = true;
        self.begin_deflating(run);
        if self.identity.is_some() && self.user.is_none() {
            let user = self.scope();
            self.user = Some(user);
            let login = Login {
                conn: self.figures.conn,
                n: open.exchange.command.n,
                began: self.began,
                at,
                round_trips: self.figures.round_trips + open.exchange.round_trips,
                wanted: open.wanted,
            };
            run.logins.login(user, &login);
        }
    }

    /// RFC 9051, section 3, figure 1.
    fn change_mailbox(&mut self, n: u64, name: &str, status: Option<Status>) {
        let selected = self.selecting.take_if(|(selecting, _)| *selecting == n);
        match (name, status) {
            ("SELECT" | "EXAMINE", Some(Status::Ok)) => {
                self.selection = selected.map(|(_, selection)| selection);
            }
            ("SELECT" | "EXAMINE", Some(Status::No))
            | ("CLOSE" | "UNSELECT" | "UNAUTHENTICATE", Some(Status::Ok)) => self.selection = None,
            _ => {}
        }
    }

    /// Takes a command that was answered into the sums, and looks at what it wasted.
    fn finish(&mut self, at: Micros, open: Open, run: &mut Run) {
        let Open {
            exchange, wanted, ..
        } = open;
        if wanted {
            self.add(&exchange, run);
        }
        let selection = self.selection.as_ref();
        let conn = self.figures.conn;
        run.fetched
            .flags(&exchange, selection, conn, wanted, &mut run.wasted);
        let scene = Scene {
            conn,
            server: &self.figures.server,
            at,
            wanted,
        };
        self.patterns.take(&scene, exchange, &mut run.wasted);
    }

    /// Takes a command without an answer into the sums.
    pub(super) fn close(&mut self, open: Open, run: &mut Run) {
        if open.exchange.command.name != "IDLE" {
            self.busy = self.busy.saturating_sub(1);
        }
        if open.wanted {
            run.row(&open.exchange.command.name).unanswered += 1;
            self.add(&open.exchange, run);
        }
    }

    fn add(&mut self, exchange: &Exchange, run: &mut Run) {
        let row = run.row(&exchange.command.name);
        row.count += 1;
        if let Some(latency) = exchange.latency {
            row.latencies.add(latency);
        }
        row.bytes_client += exchange.bytes_client;
        row.bytes_server += exchange.bytes_server;
        row.literals_client += exchange.literals_client;
        row.literals_server += exchange.literals_server;
        row.round_trips += exchange.round_trips;
        let figures = &mut self.figures;
        figures.commands += 1;
        figures.round_trips += exchange.round_trips;
        figures.bytes_client += exchange.bytes_client;
        figures.bytes_server += exchange.bytes_server;
        figures.literals += exchange.literals_client + exchange.literals_server;
    }

    /// The connection is over.
    pub(in super::super) fn end(mut self, run: &mut Run) {
        if self.busy > 0 {
            self.figures.waiting.0 += self.last.since(self.batch.since).0;
        }
        for (_, open) in std::mem::take(&mut self.open) {
            self.close(open, run);
        }
        if self.early.wanted {
            self.figures.bytes_server += self.early.octets;
            self.figures.bytes_unattributed += self.early.octets;
        }
        let figures = &mut self.figures;
        figures.duration = self.last.since(self.began);
        figures.setup = self.greeted.map(|greeted| greeted.since(self.began));
        let behind = self.last.since(self.greeted.unwrap_or(self.last));
        figures.idle = behind.since(figures.waiting);
        self.patterns.end(&mut run.wasted);
        if let Some(user) = self.user {
            run.logins.left(user, self.last, !self.is_dismissed);
        }
        let saved = self.deflated.as_ref().map_or(0, Deflated::saved);
        self.let_go(run);
        let figures = &mut self.figures;
        if self.logged_in && self.wanted {
            let offered = RECOGNISED
                .iter()
                .filter(|one| self.capabilities.contains(one.name));
            let saves = |name| if name == "COMPRESS=DEFLATE" { saved } else { 0 };
            offered.for_each(|one| {
                let (server, saves) = (&figures.server, saves(one.name));
                run.wasted.offered(server, figures.conn, one, saves);
            });
        }
        if self.wanted {
            run.summary.sums.add(figures);
            if run.summary.connections.len() < limits::STATS_CONNECTIONS {
                run.summary.connections.push(self.figures);
            }
        }
    }
}
