//! HTTP/1 (RFC 9112) heads, of requests and answers, and what imitates them (SSDP, RTSP, SIP). HTTP/2's are compressed and
//! stay closed.

/// The head of a request, as far as it was captured; borrowed from the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request<'a> {
    pub method: &'a [u8],
    pub target: &'a [u8],
    pub host: Option<&'a [u8]>,
    pub user_agent: Option<&'a [u8]>,
    /// Value of `Upgrade`.
    pub upgrade: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Response<'a> {
    pub status: u16,
    pub server: Option<&'a [u8]>,
    pub upgrade: Option<&'a [u8]>,
}

/// A payload that begins with a request line of HTTP/0.9 to 1.1.
pub fn request(bytes: &[u8]) -> Option<Request<'_>> {
    let _ = bytes;
    None
}

/// A payload that begins with a status line.
pub fn response(bytes: &[u8]) -> Option<Response<'_>> {
    let _ = bytes;
    None
}
