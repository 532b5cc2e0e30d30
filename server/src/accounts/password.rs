//! Passwords: argon2id with the parameters that OWASP recommends and the crate has by default (19 MiB, 2 passes).

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};

/// The shortest password, in characters: what NIST SP 800-63B asks for is shorter, and has a second factor.
pub(crate) const MIN_CHARS: usize = 12;
/// The longest, in bytes: a passphrase, not a document.
pub(crate) const MAX_BYTES: usize = 1_024;

/// The hash of a password that nobody has: it is compared where there is no account, so that this takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(crate) fn hash(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

/// Whether a hash is of this password; never without a hash.
pub(crate) fn is(password: &str, hash: Option<&str>) -> bool {
    let is_it = |hash: &str| {
        let hash = PasswordHash::new(hash);
        hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    };
    let is_it = is_it(hash.unwrap_or(NOBODY));
    is_it && hash.is_some()
}

/// Why a password is refused, if it is.
pub(crate) fn refusal(password: &str) -> Option<String> {
    if password.chars().count() < MIN_CHARS || password.len() > MAX_BYTES {
        return Some(format!("`password` has the wrong length, expected {MIN_CHARS} characters to {MAX_BYTES} bytes"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{NOBODY, hash, is};

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let (one, other) = (hash("correct horse battery").unwrap(), hash("correct horse battery").unwrap());
        assert!(one != other && one.starts_with("$argon2id$") && !one.contains("horse"), "{one}");
        assert!(is("correct horse battery", Some(&one)));
        for wrong in ["", "correct horse batter", "Correct horse battery", "correct horse battery "] {
            assert!(!is(wrong, Some(&one)), "{wrong}");
        }
        for broken in ["", "correct horse battery", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ"] {
            assert!(!is("correct horse battery", Some(broken)), "{broken}");
        }
        assert!(!is("", None) && !is("nobody has this!", None));
    }

    /// The work for an account that is not there is that of one that is.
    #[test]
    fn nobody_takes_as_long_as_somebody() {
        let somebody = hash("correct horse battery").unwrap();
        let parameters = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(NOBODY), parameters(&somebody));
        assert_eq!(NOBODY.len(), somebody.len(), "salt and hash have the same lengths");
    }
}
