//! A Redis cluster of one's own: three nodes that share the keys among themselves.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Redis, port};

/// Three private servers on 127.0.0.1 that are one cluster.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Redis>,
}

/// All slots of a cluster, in three parts.
const SLOTS: [(&str, &str); 3] = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];

/// The nodes tell one another of the slots within a second or two.
const MAX_JOIN: Duration = Duration::from_secs(30);

impl Cluster {
    /// Starts one.
    ///
    /// # Errors
    /// When Redis is not installed, or the nodes do not find one another.
    pub fn start() -> io::Result<Cluster> {
        let mut nodes = Vec::new();
        let mut first: Option<(String, String)> = None;
        for (from, to) in SLOTS {
            let bus = port()?.to_string();
            let node = Redis::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus])?;
            cli(&node, &["CLUSTER", "ADDSLOTSRANGE", from, to])?;
            match &first {
                Some((port, bus)) => _ = cli(&node, &["CLUSTER", "MEET", "127.0.0.1", port, bus])?,
                None => first = Some((node.port().to_string(), bus)),
            }
            nodes.push(node);
        }
        let cluster = Cluster { nodes };
        let began = Instant::now();
        while !cluster.is_joined()? {
            if began.elapsed() > MAX_JOIN {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the nodes do not find one another"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(cluster)
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// Gives the slot of a key to a node, with the key.
    ///
    /// # Errors
    /// When a node does not take part.
    pub fn move_key(&self, key: &str, to: &Redis) -> io::Result<()> {
        let slot = cli(to, &["CLUSTER", "KEYSLOT", key])?;
        let id = cli(to, &["CLUSTER", "MYID"])?;
        for node in self.nodes.iter().filter(|node| node.port() != to.port()) {
            // A slot with keys in it is not given away.
            let keys = cli(node, &["CLUSTER", "GETKEYSINSLOT", &slot, "100"])?;
            for key in keys.lines().filter(|key| !key.is_empty()) {
                cli(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &cli(node, &["CLUSTER", "MYID"])?])?;
                cli(node, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id])?;
                cli(node, &["MIGRATE", "127.0.0.1", &to.port().to_string(), key, "0", "5000"])?;
            }
        }
        cli(to, &["CLUSTER", "SETSLOT", &slot, "NODE", &id])?;
        for node in &self.nodes {
            cli(node, &["CLUSTER", "SETSLOT", &slot, "NODE", &id])?;
        }
        Ok(())
    }

    fn is_joined(&self) -> io::Result<bool> {
        for node in &self.nodes {
            let info = cli(node, &["CLUSTER", "INFO"])?;
            if !info.contains("cluster_state:ok") || !info.contains("cluster_known_nodes:3") {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What a node answers.
fn cli(node: &Redis, arguments: &[&str]) -> io::Result<String> {
    let mut command = Command::new("redis-cli");
    command.args(["-e", "-p", &node.port().to_string()]).args(arguments).stdin(Stdio::null());
    let output = command.output()?;
    let [answer, error] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).trim().to_owned());
    if output.status.success() { Ok(answer) } else { Err(io::Error::other(format!("{arguments:?}: {answer}{error}"))) }
}
