//! Load on an HTTP service: closed (so many clients, each asks again when it is answered) or open
//! (so many requests a second, whoever still waits; latency counts from when a request was due).
//!
//! `generator URL BODIES.jsonl [--clients 64] [--seconds 20] [--warm 3] [--rate 50]` posts the
//! file's lines in turn and prints one JSON object; `sink` for URL is a service of its own that
//! only answers, for what the load itself costs.

mod client;
mod figures;
mod load;
mod sink;

use client::Place;
use figures::Answer;
use std::io::Error;
use std::time::{Duration, Instant};

struct Options {
    url: String,
    bodies: String,
    clients: usize,
    seconds: f64,
    warm: f64,
    rate: Option<f64>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut places = Vec::new();
        let (mut clients, mut seconds, mut warm, mut rate) = (64, 20.0, 3.0, None);
        while let Some(argument) = arguments.next() {
            let Some(flag) = argument.strip_prefix("--") else {
                places.push(argument);
                continue;
            };
            let value = arguments.next().unwrap_or_default();
            let number = value
                .parse()
                .ok()
                .filter(|n: &f64| n.is_finite() && *n >= 0.0);
            let number = number.ok_or_else(|| format!("--{flag} {value:?}: must be a number"))?;
            match flag {
                "clients" if number >= 1.0 => clients = number as usize,
                "seconds" if number > 0.0 => seconds = number,
                "warm" => warm = number,
                "rate" if number > 0.0 => rate = Some(number),
                "clients" | "seconds" | "rate" => {
                    return Err(format!("--{flag} {value}: must be more than 0"));
                }
                _ => return Err(format!("--{flag}: no such flag")),
            }
        }
        let [url, bodies] = <[String; 2]>::try_from(places)
            .map_err(|places| format!("{places:?}: must be a URL, or `sink`, and a file"))?;
        Ok(Self {
            url,
            bodies,
            clients,
            seconds,
            warm,
            rate,
        })
    }
}

fn run(options: &Options) -> Result<String, String> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: Error| format!("{what}: {error}")
    };
    let place = match options.url.as_str() {
        "sink" => Place {
            address: sink::start().map_err(failed("sink"))?,
            path: "/".to_owned(),
        },
        url => Place::parse(url)?,
    };
    let bodies = std::fs::read(&options.bodies).map_err(failed(&options.bodies))?;
    let requests: Vec<Vec<u8>> = bodies
        .split(|&byte| byte == b'\n')
        .filter(|body| !body.is_empty())
        .map(|body| place.request(body))
        .collect();
    if requests.is_empty() {
        return Err(format!("{}: no line", options.bodies));
    }
    let spent = figures::processor().map_err(failed("/proc/self/stat"))?;
    let start = Instant::now();
    let counted = start + Duration::from_secs_f64(options.warm);
    let until = counted + Duration::from_secs_f64(options.seconds);
    let answers = match options.rate {
        Some(rate) => load::open(&place, &requests, rate, until),
        None => load::closed(&place, &requests, options.clients, until),
    };
    let answers: Vec<Answer> = answers.map_err(failed("a client"))?;
    let spent = figures::processor().map_err(failed("/proc/self/stat"))? - spent;
    let share = spent.as_secs_f64() / start.elapsed().as_secs_f64();
    Ok(figures::summary(&answers, counted, until, share))
}

fn main() {
    match Options::parse(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(summary) => println!("{summary}"),
        Err(error) => {
            eprintln!("generator: {error}");
            std::process::exit(2);
        }
    }
}
