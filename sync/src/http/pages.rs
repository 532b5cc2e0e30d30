//! Pages: a table that the store limits, as PostgREST does with `max-rows`, read to its end.

use reqwest::header::CONTENT_RANGE;
use reqwest::{Response, Url};

use super::access::{Access, Wanted};
use super::read;
use crate::source::Failure;

/// The range of rows in an answer, and the total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    first: u64,
    /// The row after the last.
    end: u64,
    total: u64,
}

impl Page {
    fn of(response: &Response) -> Option<Page> {
        Page::read(response.headers().get(CONTENT_RANGE)?.to_str().ok()?)
    }

    /// As in `0-999/2500`, with or without the unit before it.
    fn read(range: &str) -> Option<Page> {
        let (held, total) = range.trim().rsplit(' ').next()?.split_once('/')?;
        let (first, last) = held.split_once('-')?;
        let (first, last, total): (u64, u64, u64) = (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
        let end = last.checked_add(1)?;
        (first < end && end <= total).then_some(Page { first, end, total })
    }
}

/// The rows of an answer that is the first page, and all that follow.
pub(super) async fn read_all(
    access: &Access,
    url: &Url,
    response: Response,
    max_bytes: usize,
    problem: &str,
) -> Result<Vec<u8>, Failure> {
    let Some(page) = Page::of(&response).filter(|page| page.first == 0) else { return Err(Failure::new(problem)) };
    if !url.query_pairs().any(|(name, _)| name == "order") {
        // Without an order, two pages may have the same row, and another row may be missing.
        let advice = "`order` in the URL, by a column without duplicates, lets the pages be read (`&order=name`)";
        return Err(Failure::new(format!("{problem}; {advice}")));
    }
    let mut rows = Vec::new();
    push(&mut rows, &read(response, max_bytes).await?)?;
    let mut next = page.end;
    while next < page.total {
        let wanted = Wanted::Rows { first: next, last: next + (page.end - 1) };
        let response = access.get(url, wanted).await?;
        let Some(Page { end, .. }) = Page::of(&response).filter(|found| found.first == next) else {
            return Err(Failure::new(format!(
                "the store does not give the rows from {next} on, expected `Content-Range`"
            )));
        };
        if Page::of(&response).is_some_and(|found| found.total != page.total) {
            return Err(Failure::new("the table changed while its pages were read"));
        }
        let page = read(response, max_bytes.saturating_sub(rows.len())).await?;
        push(&mut rows, &page)?;
        next = end;
    }
    rows.push(b']');
    Ok(rows)
}

/// Adds the rows of one array to those of an array that is open.
fn push(rows: &mut Vec<u8>, page: &[u8]) -> Result<(), Failure> {
    let inner = page.trim_ascii().strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let inner = inner.ok_or_else(|| Failure::new("a page of rows is no JSON array, expected one"))?;
    rows.push(if rows.is_empty() { b'[' } else { b',' });
    rows.extend_from_slice(inner);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Page, push};

    #[test]
    fn a_page_is_read_as_postgrest_writes_it() {
        let page = Some(Page { first: 0, end: 1000, total: 2500 });
        assert_eq!((Page::read("0-999/2500"), Page::read("items 0-999/2500")), (page, page));
        for range in ["", "*/0", "0-999/*", "0-999", "5-4/9", "0-9/5", "0-18446744073709551615/3", "-1-2/3"] {
            assert_eq!(Page::read(range), None, "{range}");
        }
        let mut rows = Vec::new();
        for page in [&b"[1, 2]"[..], b" [3]\n"] {
            push(&mut rows, page).expect("it is an array");
        }
        assert_eq!(rows, b"[1, 2,3");
        assert!(push(&mut rows, b"{\"message\": \"no\"}").is_err());
    }
}
