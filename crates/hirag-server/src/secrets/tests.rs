use super::*;

fn secrets(vault: impl Vault + 'static, variables: &[(&str, &str)]) -> Secrets {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Secrets::new(Arc::new(vault), variables.into_iter())
}

fn token(text: &str) -> SecretString {
    SecretString::from(text)
}

const KIND: TokenKind = TokenKind::Embedding;
const LONG: &str = "sk-0123456789abcdef";

#[test]
fn what_cannot_be_a_token_is_refused_and_not_repeated() {
    let secrets = secrets(MemoryVault::default(), &[]);
    let long = "x".repeat(MAX_TOKEN_BYTES + 1);
    for bad in [
        "", " ", "abc\n", "abc\r\n", " abc", "a b", "a\u{0}b", "gehéim", "a\u{a0}b", &long,
    ] {
        let error = secrets.set(KIND, token(bad), Keep::Keyring).unwrap_err();
        assert_eq!(error.code(), "bad_token", "{bad:?}");
        assert!(!secrets.status(KIND).set, "{bad:?}");
        if bad.trim().len() > 2 {
            assert!(!error.to_string().contains(bad.trim()), "{error}");
        }
    }
    let longest = "x".repeat(MAX_TOKEN_BYTES);
    secrets.set(KIND, token(&longest), Keep::Keyring).unwrap();
}

#[test]
fn this_run_goes_before_the_keyring_and_that_before_the_environment() {
    let secrets = secrets(
        MemoryVault::default(),
        &[("HIRAG_EMBEDDING_TOKEN", "from-environment")],
    );
    let source = || secrets.get(KIND).map(|(_, source)| source);
    assert_eq!(source(), Some(TokenSource::Environment));
    secrets.set(KIND, token("kept"), Keep::Keyring).unwrap();
    assert_eq!(source(), Some(TokenSource::Keyring));
    secrets.set(KIND, token("now"), Keep::ThisRun).unwrap();
    assert_eq!(source(), Some(TokenSource::ThisRun));
    secrets.set(KIND, token("kept-2"), Keep::Keyring).unwrap();
    assert_eq!(secrets.get(KIND).unwrap().0.expose_secret(), "kept-2");
    secrets.clear(KIND).unwrap();
    assert_eq!(source(), Some(TokenSource::Environment));
    assert!(secrets.get(TokenKind::Chat).is_none());
}

#[test]
fn without_a_keyring_a_token_is_kept_for_this_run_only() {
    let secrets = secrets(NoVault, &[]);
    let error = secrets.set(KIND, token(LONG), Keep::Keyring).unwrap_err();
    assert_eq!(error.code(), "keyring_absent");
    secrets.set(KIND, token(LONG), Keep::ThisRun).unwrap();
    let status = secrets.status(KIND);
    assert_eq!(status.keyring, KeyringState::Absent);
    assert!(status.set && status.why_absent.is_some());
    secrets.clear(KIND).unwrap();
    assert!(!secrets.status(KIND).set);
}

#[test]
fn only_the_end_of_a_long_token_is_ever_told() {
    let secrets = secrets(MemoryVault::default(), &[]);
    secrets.set(KIND, token(LONG), Keep::Keyring).unwrap();
    let status = secrets.status(KIND);
    assert_eq!(status.last_four.as_deref(), Some("cdef"));
    let told = format!("{}{secrets:?}", serde_json::to_string(&status).unwrap());
    assert!(!told.contains(LONG) && !told.contains(&LONG[3..]), "{told}");
    secrets
        .set(KIND, token("short-one"), Keep::Keyring)
        .unwrap();
    assert_eq!(secrets.status(KIND).last_four, None);
}
