//! What the command line wants served, bound and checked before anything is counted.

use std::sync::Arc;

use super::feed::{Feed, PageFollower};
use super::metrics::{Meter, MeterFollower, Polls};
use super::server::Bound;
use super::{Board, Doors, Server, Token};
use crate::cli;
use crate::enrich::Enrichment;
use crate::failure::{Exit, Failure};
use crate::follow::Follower;
use crate::status;

/// Those who follow a run to show it to others. `polls` is what the run itself says of its timetable.
pub fn of_run(
    args: &cli::Run,
    enrichment: &Arc<Enrichment>,
    polls: &Arc<Polls>,
    hostname: &str,
) -> Result<Vec<Box<dyn Follower>>, Failure> {
    let asked = &args.serving;
    let token = asked.token_file.as_deref().map(Token::read).transpose()?;
    refuse_open(asked, token.is_some())?;
    let mut followers: Vec<Box<dyn Follower>> = Vec::new();
    let page = asked.listen.map(|address| {
        let feed = Arc::new(Feed::new(
            asked.listen_rows as usize,
            Arc::clone(enrichment),
        ));
        let show: Arc<dyn super::Show> = Arc::<Feed>::clone(&feed);
        (address, feed, Arc::new(Board::new(show)))
    });
    let meter = asked.metrics.map(|address| {
        let interval = args.counting.interval;
        (address, Arc::new(Meter::new(interval, Arc::clone(polls))))
    });
    let together = asked.listen.is_some() && asked.listen == asked.metrics;
    let start = |option: &str, address, doors: &Doors| {
        let bound = Bound::new(option, address)?;
        let server = Server::start(bound, doors, hostname, token.clone());
        let server = server.map_err(|error| Failure::new(Exit::Failed, error))?;
        Ok::<_, Failure>(Arc::new(server))
    };
    let mut first = None;
    if let Some((address, feed, board)) = page {
        let doors = Doors {
            board: Some(Arc::clone(&board)),
            meter: meter
                .as_ref()
                .filter(|_| together)
                .map(|(_, meter)| Arc::clone(meter)),
            ..Doors::default()
        };
        let server = start("--listen", address, &doors)?;
        let open = if token.is_some() { "?token=TOKEN" } else { "" };
        status::note(&format!("live page: http://{}/{open}", server.address()));
        first = Some(Arc::clone(&server));
        followers.push(Box::new(PageFollower {
            feed,
            board,
            server: Some(server),
        }));
    }
    if let Some((address, meter)) = meter {
        let server = match first.filter(|_| together) {
            Some(server) => server,
            None => {
                let doors = Doors {
                    meter: Some(Arc::clone(&meter)),
                    ..Doors::default()
                };
                start("--metrics", address, &doors)?
            }
        };
        status::note(&format!("metrics: http://{}/metrics", server.address()));
        followers.push(Box::new(MeterFollower {
            meter,
            server: Some(server),
        }));
    }
    Ok(followers)
}

/// Everybody on the way could read along, and everybody there could ask.
fn refuse_open(asked: &cli::Serving, has_token: bool) -> Result<(), Failure> {
    let addresses = [("--listen", asked.listen), ("--metrics", asked.metrics)];
    for (option, address) in addresses {
        let Some(address) = address.filter(|address| !address.ip().is_loopback()) else {
            continue;
        };
        if !has_token {
            return Err(Failure::told(
                Exit::Usage,
                format_args!(
                    "{option} {address} is open to others: add --token-file FILE, or listen on 127.0.0.1 and come by ssh -L"
                ),
            ));
        }
    }
    Ok(())
}
