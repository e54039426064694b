//! A wire between the job and the API server that can die without a sign, as when a node in between loses its power.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Wire {
    pub address: String,
    /// Connections of a generation before this one carry nothing any more.
    generation: watch::Sender<u64>,
}

impl Wire {
    /// To the API server at this URL.
    pub async fn to(server: &str) -> Self {
        let server: SocketAddr = server.strip_prefix("https://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let generation = watch::Sender::new(0);
        let now = generation.clone();
        tokio::spawn(async move {
            while let Ok((job, _)) = listener.accept().await {
                let server = TcpStream::connect(server).await.unwrap();
                let born = *now.borrow();
                let (from_job, to_job) = job.into_split();
                let (from_server, to_server) = server.into_split();
                for (mut from, mut to) in [(from_job, to_server), (from_server, to_job)] {
                    let lives = now.subscribe();
                    tokio::spawn(async move {
                        let mut bytes = vec![0; 65536];
                        while let Ok(read) = from.read(&mut bytes).await {
                            if *lives.borrow() != born {
                                // Neither end learns of it.
                                std::future::pending::<()>().await;
                            }
                            if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
                                return;
                            }
                        }
                    });
                }
            }
        });
        Self { address, generation }
    }

    /// The connections there are carry nothing any more; new ones do.
    pub fn cut(&self) {
        self.generation.send_modify(|it| *it += 1);
    }
}
