//! What a connection has said so far, and what its next request comes to.

use std::rc::Rc;

use isles_kernel::Payload;
use isles_quorum::store::Version;

use crate::command::arguments::{integer, is, shown, wrong_arity};
use crate::command::expiry::Expire;
use crate::command::{Act, Multi, Run, Spec, queue};
use crate::shared::{Shared, count};
use crate::switchboard::{Clock, Line};
use crate::wire::{Bounds, Frame, Protocol, Request};

/// Which Redis the node takes after; clients look at it to know which commands there are.
pub(crate) const REDIS_VERSION: &str = "7.0.15";

/// Wrong passwords after which a connection is ended.
const GUESSES_MAX: u32 = 8;

/// A client's connection, without its socket.
pub(crate) struct Session {
    /// What others see of it.
    pub(crate) line: Rc<Line>,
    /// How answers are written.
    pub(crate) protocol: Protocol,
    /// Who it is; none before it authenticated.
    user: Option<String>,
    guesses: u32,
    /// Since `MULTI`.
    pub(crate) multi: Option<Multi>,
    /// Watched keys and their versions.
    pub(crate) watched: Vec<(Payload, Version)>,
}

impl Session {
    pub(crate) fn new(line: Rc<Line>, shared: &Shared) -> Self {
        let mut session =
            Self { line, protocol: Protocol::Two, user: None, guesses: 0, multi: None, watched: Vec::new() };
        session.begin(shared);
        session
    }

    /// As at the beginning.
    fn begin(&mut self, shared: &Shared) {
        self.set_protocol(Protocol::Two);
        self.multi = None;
        self.watched.clear();
        self.user = None;
        self.line.is_known.set(false);
        if shared.config.clients.users.is_empty() {
            self.admit("default");
        }
        self.line.about.borrow_mut().name.clear();
    }

    fn admit(&mut self, name: &str) {
        self.user = Some(name.to_owned());
        self.line.is_known.set(true);
        name.clone_into(&mut self.line.about.borrow_mut().user);
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
        self.line.about.borrow_mut().protocol = if protocol == Protocol::Two { 2 } else { 3 };
    }

    /// What a request may be at most.
    pub(crate) fn bounds(&self, shared: &Shared) -> Bounds {
        let limits = &shared.config.limits;
        match self.user {
            Some(_) => Bounds { bytes: limits.request, elements: limits.elements },
            None => Bounds::STRANGER,
        }
    }

    /// What a request comes to.
    pub(crate) fn dispatch(
        &mut self,
        shared: &Shared,
        spec: Option<&'static Spec>,
        request: &Request<'_>,
    ) -> Act {
        count(&shared.stats.commands);
        let refused = match spec {
            None => Some(unknown(request)),
            Some(spec) if !spec.takes(request.len()) => Some(wrong_arity(spec.name)),
            Some(spec) if self.user.is_none() && !spec.has("no_auth") => {
                Some(Frame::error("NOAUTH Authentication required."))
            }
            Some(_) => None,
        };
        if let Some(frame) = refused {
            if let Some(multi) = &mut self.multi {
                multi.is_failed = true;
            }
            // A browser that was made to speak to this port by a foreign page.
            let is_http = request.len() > 1 && (is(request.arg(0), "post") || is(request.arg(0), "host:"));
            return if is_http && spec.is_none() { Act::Cut } else { frame.into() };
        }
        let Some(spec) = spec else { return Act::Cut };
        self.line.about.borrow_mut().last = spec.name;
        if self.multi.is_some() && !matches!(spec.run, Run::Control(_)) {
            return queue(self, shared, spec, request);
        }
        self.run(shared, spec, request)
    }

    fn run(&mut self, shared: &Shared, spec: &Spec, request: &Request<'_>) -> Act {
        let asked = match spec.run {
            Run::Keyed(run) => run(request, Clock(shared.backend())).map(crate::command::Keyed::ask),
            Run::Expire(run) => run(request, Clock(shared.backend())).map(|expire| match expire {
                Expire::Plain(keyed) => keyed.ask(),
                Expire::Guarded(ask) => ask,
            }),
            Run::Guarded(run) => run(request, Clock(shared.backend())),
            Run::Scan(run) => run(request, &shared.config.limits),
            Run::Local(run) | Run::Alone(run) | Run::Control(run) => {
                let act = run(self, shared, request);
                let mut about = self.line.about.borrow_mut();
                about.queued = self.multi.as_ref().map_or(-1, Multi::count);
                about.watched = self.watched.len();
                return act;
            }
        };
        asked.map_or_else(Act::Reply, Act::Ask)
    }

    /// Tries a name and a password.
    fn authenticate(&mut self, shared: &Shared, name: &[u8], password: &[u8]) -> Result<(), Act> {
        let users = &shared.config.clients.users;
        // Redis lets everyone be the default user who has no password.
        if shared.is_user(name, password) || users.is_empty() && name == b"default" {
            self.guesses = 0;
            self.admit(&String::from_utf8_lossy(name));
            return Ok(());
        }
        self.guesses += 1;
        count(&shared.stats.strangers);
        let about = self.line.about.borrow();
        tracing::warn!(client = %about.address, user = %shown(name), guesses = self.guesses, "wrong password");
        let wrong = Frame::error("WRONGPASS invalid username-password pair or user is disabled.");
        Err(if self.guesses >= GUESSES_MAX { Act::Close(wrong) } else { wrong.into() })
    }
}

/// The error of a command that there is not, as Redis words it.
fn unknown(request: &Request<'_>) -> Frame {
    let mut text = format!("ERR unknown command '{}', with args beginning with: ", shown(request.arg(0)));
    let mut room = 128_usize;
    for arg in request.args(1) {
        if room == 0 {
            break;
        }
        let arg = shown(&arg[..arg.len().min(room)]);
        room = room.saturating_sub(arg.len() + 3);
        text.push_str(&format!("'{arg}' "));
    }
    Frame::error(text)
}

/// `AUTH password`, `AUTH user password`
pub(crate) fn auth(session: &mut Session, shared: &Shared, request: &Request<'_>) -> Act {
    let (name, password) = match request.len() {
        2 => (b"default".as_slice(), request.arg(1)),
        3 => (request.arg(1), request.arg(2)),
        _ => return Frame::error("ERR syntax error").into(),
    };
    if request.len() == 2 && !shared.config.clients.users.iter().any(|user| user.name == "default") {
        return Frame::error(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
             configuration is correct?",
        )
        .into();
    }
    session.authenticate(shared, name, password).map_or_else(|act| act, |()| Frame::OK.into())
}

/// `HELLO [2 | 3 [AUTH user password] [SETNAME name]]`
pub(crate) fn hello(session: &mut Session, shared: &Shared, request: &Request<'_>) -> Act {
    let protocol = match request.len() {
        1 => session.protocol,
        _ => match integer(request.arg(1)) {
            Ok(2) => Protocol::Two,
            Ok(3) => Protocol::Three,
            Ok(_) => return Frame::error("NOPROTO unsupported protocol version").into(),
            Err(_) => return Frame::error("ERR Protocol version is not an integer or out of range").into(),
        },
    };
    let mut name = None;
    let mut credentials = None;
    let mut at = 2;
    while at < request.len() {
        let left = request.len() - at - 1;
        if is(request.arg(at), "auth") && left >= 2 {
            credentials = Some((request.arg(at + 1), request.arg(at + 2)));
            at += 3;
        } else if is(request.arg(at), "setname") && left >= 1 {
            name = Some(request.arg(at + 1));
            at += 2;
        } else {
            return Frame::error(format!("ERR Syntax error in HELLO option '{}'", shown(request.arg(at))))
                .into();
        }
    }
    if let Some((user, password)) = credentials
        && let Err(act) = session.authenticate(shared, user, password)
    {
        return act;
    }
    if session.user.is_none() {
        return Frame::error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> \
             <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        )
        .into();
    }
    if let Some(name) = name
        && let Err(frame) = session.set_name(name)
    {
        return frame.into();
    }
    session.set_protocol(protocol);
    let id = session.line.about.borrow().id;
    Frame::Map(vec![
        (Frame::word("server"), Frame::word("redis")),
        (Frame::word("version"), Frame::word(REDIS_VERSION)),
        (Frame::word("proto"), Frame::Number(if protocol == Protocol::Two { 2 } else { 3 })),
        (Frame::word("id"), Frame::Number(id as i64)),
        (Frame::word("mode"), Frame::word("standalone")),
        (Frame::word("role"), Frame::word("master")),
        (Frame::word("modules"), Frame::List(Vec::new())),
    ])
    .into()
}

impl Session {
    /// `CLIENT SETNAME`
    pub(crate) fn set_name(&mut self, name: &[u8]) -> Result<(), Frame> {
        let text = printable(name).ok_or(Frame::Error(
            "ERR Client names cannot contain spaces, newlines or special characters.".into(),
        ))?;
        self.line.about.borrow_mut().name = text;
        Ok(())
    }
}

/// A text of at most 256 characters between `!` and `~`.
pub(crate) fn printable(bytes: &[u8]) -> Option<String> {
    let fits = bytes.len() <= 256 && bytes.iter().all(|byte| (b'!'..=b'~').contains(byte));
    fits.then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// `PING [message]`
pub(crate) fn ping(_: &mut Session, _: &Shared, request: &Request<'_>) -> Act {
    match request.len() {
        1 => Frame::Simple("PONG").into(),
        2 => Frame::Bulk(request.arg(1).to_vec().into()).into(),
        _ => wrong_arity("ping").into(),
    }
}

/// `ECHO message`
pub(crate) fn echo(_: &mut Session, _: &Shared, request: &Request<'_>) -> Act {
    Frame::Bulk(request.arg(1).to_vec().into()).into()
}

/// `SELECT 0`
pub(crate) fn select(_: &mut Session, _: &Shared, request: &Request<'_>) -> Act {
    match integer(request.arg(1)) {
        Ok(0) => Frame::OK.into(),
        Ok(_) => Frame::error("ERR DB index is out of range").into(),
        Err(frame) => frame.into(),
    }
}

/// `QUIT`
pub(crate) fn quit(_: &mut Session, _: &Shared, _: &Request<'_>) -> Act {
    Act::Close(Frame::OK)
}

/// `RESET`
pub(crate) fn reset(session: &mut Session, shared: &Shared, _: &Request<'_>) -> Act {
    session.begin(shared);
    Frame::Simple("RESET").into()
}
