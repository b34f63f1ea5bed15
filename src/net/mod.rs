//! Sockets and TLS: listening, dialling, the certificate authority, and both handshakes.
//!
//! What is not here: what the octets mean (`protocol`), and how two legs are joined (`relay`).
//! Nothing here reads, changes or invents an octet of the conversation; a handshake that fails
//! leaves the peer with a closed connection and, where TLS was spoken, with a TLS alert.
//!
//! ```text
//! app -- [socks::accept, original_destination: which server it wants]
//! app -- ListenAddress::listen, accept -- TlsToClient::hello .. finish --.
//!                                              Authority (leaf for SNI)  +-- Transport, Secured
//! server ------- dial(ServerAddress) ----- TlsToServer::connect ---------'
//! ```
//!
//! It promises that every wait for a peer has a bound from [`limits`](crate::limits).

mod authority;
mod certificate;
mod clock;
mod dial;
mod files;
mod handshake;
mod keylog;
mod listen;
mod ours;
mod outlet;
mod redirect;
mod server_address;
mod socket;
pub mod socks;
mod transport;

pub use authority::{Authority, Host, Kept, Scope};
pub use clock::Clock;
pub use dial::{Cause, Unreachable, dial, find};
pub use files::{Room, permit_more_files};
pub use handshake::{
    ClientIdentity, ClientTlsError, ServerTlsError, ServerTrust, StartedHandshake, TlsToClient,
    TlsToServer,
};
pub use keylog::KeyLogFile;
pub use listen::{Door, ListenAddress, Reach, accept, is_remote};
pub use ours::{Dialled, Ours};
pub use outlet::{Delivery, Outlet};
pub use redirect::{NotRedirected, original_destination};
pub use server_address::{AskedSecurity, Security, ServerAddress};
pub use socket::set_up;
pub use transport::Transport;
