//! The bytes behind an address, read on a thread of their own, so that who waits for them can be told to stop while nothing
//! arrives.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use crate::{Error, Result};

const CONNECT: Duration = Duration::from_secs(30);
/// Of silence; a slow but steady download may take as long as it needs, up to [`TOTAL`].
const SILENCE: Duration = Duration::from_secs(60);
const TOTAL: Duration = Duration::from_secs(6 * 3600);
/// How long a request to stop may wait.
const PATIENCE: Duration = Duration::from_millis(50);

/// What the thread has to say.
pub(super) enum News {
    /// The server answers, and says how many bytes there will be.
    Answer(Option<u64>),
    /// The next bytes.
    Bytes(Vec<u8>),
    /// Nothing more.
    End,
}

/// A download that has begun.
pub(super) struct Download<'a> {
    url: &'a str,
    news: Receiver<std::result::Result<News, (String, &'static str)>>,
    stop: &'a AtomicBool,
}

impl<'a> Download<'a> {
    /// Asks for `url`; http or https.
    ///
    /// # Errors
    /// [`Error::Fetch`] for another scheme.
    pub fn begin(url: &'a str, stop: &'a AtomicBool) -> Result<Self> {
        let agent = agent(url)?;
        let (give, news) = sync_channel(4);
        let asked = url.to_owned();
        std::thread::spawn(move || {
            if let Err(failure) = read(&agent, &asked, &give) {
                // Nobody may be listening any more.
                let _ = give.send(Err(failure));
            }
        });
        Ok(Self { url, news, stop })
    }

    /// Waits for what comes next.
    ///
    /// # Errors
    /// [`Error::Fetch`] for whatever the network or the server does, and if it was asked to stop.
    pub fn next(&self) -> Result<News> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(self.failed("a request to stop".into(), "run it again"));
            }
            match self.news.recv_timeout(PATIENCE) {
                Ok(news) => return news.map_err(|(found, advice)| self.failed(found, advice)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.failed("an interrupted download".into(), "try again"));
                }
            }
        }
    }

    fn failed(&self, found: String, advice: &'static str) -> Error {
        Error::Fetch {
            url: self.url.to_owned(),
            found,
            expected: "the whole file".to_owned(),
            advice,
        }
    }
}

type Given = SyncSender<std::result::Result<News, (String, &'static str)>>;

/// Reads to the end, or until nobody listens.
fn read(
    agent: &ureq::Agent,
    url: &str,
    give: &Given,
) -> std::result::Result<(), (String, &'static str)> {
    let mut response = agent.get(url).call().map_err(|e| {
        let advice = "check the network and the address, or get the file by hand";
        (e.to_string(), advice)
    })?;
    let mut given = give.send(Ok(News::Answer(response.body().content_length())));
    let mut body = response.body_mut().with_config().limit(u64::MAX).reader();
    let mut bytes = 0;
    while given.is_ok() {
        let mut chunk = vec![0; 1 << 16];
        let n = body
            .read(&mut chunk)
            .map_err(|e| (format!("{e} after {bytes} bytes"), "try again"))?;
        chunk.truncate(n);
        bytes += n;
        let news = if n == 0 {
            News::End
        } else {
            News::Bytes(chunk)
        };
        given = give.send(Ok(news));
        if n == 0 {
            break;
        }
    }
    Ok(())
}

fn agent(url: &str) -> Result<ureq::Agent> {
    let parsed = url.parse::<ureq::http::Uri>().ok();
    let scheme = parsed
        .as_ref()
        .and_then(|uri| uri.scheme_str())
        .unwrap_or_default();
    let host = parsed
        .as_ref()
        .and_then(|uri| uri.host())
        .unwrap_or_default();
    if !matches!(scheme, "http" | "https") || host.is_empty() {
        return Err(Error::Fetch {
            url: url.to_owned(),
            found: format!("scheme `{scheme}`, host `{host}`"),
            expected: "an address that begins with http:// or https://".to_owned(),
            advice: "correct the address",
        });
    }
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let proxy = if here {
        None
    } else {
        ureq::Proxy::try_from_env()
    };
    let config = ureq::Agent::config_builder()
        .https_only(scheme == "https")
        .proxy(proxy)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .timeout_global(Some(TOTAL))
        .user_agent(concat!("scotopic/", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(config.new_agent())
}
