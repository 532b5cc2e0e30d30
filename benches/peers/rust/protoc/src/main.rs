//! Prints where a compiler of protocol buffers is, for the builds that want one and a machine that has none.

fn main() -> Result<(), protoc_bin_vendored::Error> {
    println!("{}", protoc_bin_vendored::protoc_bin_path()?.display());
    Ok(())
}
