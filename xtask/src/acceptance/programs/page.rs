//! A server that says what it was asked for.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use anyhow::{Context as _, Result};
use serde_json::json;

/// A server on a port of this machine, as long as this process lives.
pub(super) struct Page {
    port: u16,
}

impl Page {
    pub(super) fn serve() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if let Err(error) = answer(&connection) {
                    eprintln!("a request to port {port}: {error:#}");
                }
            }
        });
        Ok(Self { port })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

fn answer(connection: &TcpStream) -> Result<()> {
    let mut input = BufReader::new(connection);
    let mut line = || {
        let mut line = String::new();
        input.read_line(&mut line).map(|_| line.trim_end().to_owned())
    };
    let request = line()?;
    let mut headers = Vec::new();
    loop {
        let header = line()?;
        if header.is_empty() {
            break;
        }
        headers.push(header);
    }
    let length = headers.iter().find_map(|header| {
        let (name, value) = header.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    let mut body = vec![0; length.transpose()?.unwrap_or(0)];
    input.read_exact(&mut body)?;
    let path = request.split(' ').nth(1).context("a request names a path")?;
    let status = if path == "/missing" { "404 Not Found" } else { "200 OK" };
    let body = String::from_utf8_lossy(&body);
    let said = json!({ "request": request, "headers": headers, "body": body }).to_string();
    let mut output = connection;
    write!(
        output,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{said}",
        said.len()
    )?;
    Ok(())
}
