//! Reports of what was counted, sent to a URL: `POST /v1/usage` of GUARD.md.

use reqwest::StatusCode;

use super::Http;
use super::access::retry_after;
use crate::source::Failure;

impl Http {
    /// Sends a report. A failure says besides whether the server has refused what is in it.
    pub(crate) async fn report(&mut self, body: String) -> Result<(), (Failure, bool)> {
        let access = self.access().map_err(|failure| (failure, false))?;
        let response = access.tell(self.url.clone(), body).await.map_err(|failure| (failure, false))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let wrong = [
            StatusCode::BAD_REQUEST,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ];
        let problem = Failure::new(format!("the answer has the status {status}, expected 204"));
        Err((Failure { retry_after: retry_after(response.headers()), ..problem }, wrong.contains(&status)))
    }
}
