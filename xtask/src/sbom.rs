//! `sbom`: lists the crates in the released program as CycloneDX 1.5 (JSON), from Cargo's resolved dependencies.
//!
//! The list covers all systems; each archive contains a subset. The same Cargo.lock produces the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::Problem;
use crate::scene::{cargo, check, root};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes the list to the file in the arguments.
pub(crate) fn run(words: &[&str]) -> Result<(), Problem> {
    let &["--out", out] = words else { return Err("usage: sbom --out FILE".into()) };
    let bom = render(&load_metadata()?, &std::fs::read_to_string(root().join("Cargo.lock"))?)?;
    Ok(std::fs::write(out, format!("{bom:#}\n"))?)
}

/// Loads Cargo's metadata of the workspace.
fn load_metadata() -> Result<Value, Problem> {
    let mut command: Command = cargo();
    command.args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--manifest-path",
        "crates/cli/Cargo.toml",
    ]);
    Ok(serde_json::from_str(&check(&command.output()?)?)?)
}

/// Returns the digests in Cargo.lock, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let mut found = BTreeMap::new();
    for package in lock.split("[[package]]") {
        let value = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        if let (Some(name), Some(version), Some(digest)) =
            (value("name"), value("version"), value("checksum"))
        {
            found.insert((name, version), digest);
        }
    }
    found
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, Problem> {
    let text = value.get(name).and_then(Value::as_str);
    Ok(text.ok_or_else(|| format!("cargo metadata has no `{name}`"))?)
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the packages in the program by id, each with the ids of its dependencies.
fn reachable(metadata: &Value, from: &str) -> Result<BTreeMap<String, BTreeSet<String>>, Problem> {
    let resolve = metadata.get("resolve").ok_or("cargo metadata has no `resolve`")?;
    let mut nodes = BTreeMap::new();
    for node in list(resolve, "nodes") {
        nodes.insert(text(node, "id")?, node);
    }
    let mut found = BTreeMap::new();
    let mut wanted = vec![from.to_owned()];
    while let Some(id) = wanted.pop() {
        if found.contains_key(&id) {
            continue;
        }
        let node = nodes.get(id.as_str()).ok_or_else(|| format!("cargo metadata has no node `{id}`"))?;
        let mut needed = BTreeSet::new();
        for dependency in list(node, "deps") {
            // Build and test dependencies are not in the program.
            let is_normal =
                list(dependency, "dep_kinds").any(|kind| kind.get("kind").is_some_and(Value::is_null));
            if is_normal {
                needed.insert(text(dependency, "pkg")?.to_owned());
            }
        }
        wanted.extend(needed.iter().cloned());
        found.insert(id, needed);
    }
    Ok(found)
}

fn component(package: &Value, digests: &BTreeMap<(String, String), String>) -> Result<Value, Problem> {
    let (name, version) = (text(package, "name")?, text(package, "version")?);
    let mut found = Map::new();
    let kind = if name == "hatbox" { "application" } else { "library" };
    found.insert("type".to_owned(), json!(kind));
    let url = purl(name, version);
    found.insert("bom-ref".to_owned(), json!(url));
    found.insert("name".to_owned(), json!(name));
    found.insert("version".to_owned(), json!(version));
    if let Some(description) = package.get("description").and_then(Value::as_str) {
        found.insert("description".to_owned(), json!(description.trim()));
    }
    if let Some(digest) = digests.get(&(name.to_owned(), version.to_owned())) {
        found.insert("hashes".to_owned(), json!([{ "alg": "SHA-256", "content": digest }]));
    }
    if let Some(licence) = package.get("license").and_then(Value::as_str) {
        // Older crates separate licences with a slash, which is not valid SPDX.
        found.insert("licenses".to_owned(), json!([{ "expression": licence.replace('/', " OR ") }]));
    }
    found.insert("purl".to_owned(), json!(url));
    if let Some(repository) = package.get("repository").and_then(Value::as_str) {
        found.insert("externalReferences".to_owned(), json!([{ "type": "vcs", "url": repository }]));
    }
    Ok(Value::Object(found))
}

fn purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

fn render(metadata: &Value, lock: &str) -> Result<Value, Problem> {
    let digests = checksums(lock);
    let mut packages = BTreeMap::new();
    for package in list(metadata, "packages") {
        packages.insert(text(package, "id")?.to_owned(), package);
    }
    let own = packages.iter().find(|(_, package)| package.get("name").is_some_and(|name| name == "hatbox"));
    let (own, _) = own.ok_or("cargo metadata has no package `hatbox`")?;
    let find =
        |id: &str| packages.get(id).copied().ok_or_else(|| format!("cargo metadata has no package `{id}`"));
    let purl_of = |id: &str| -> Result<String, Problem> {
        let package = find(id)?;
        Ok(purl(text(package, "name")?, text(package, "version")?))
    };
    let (mut components, mut dependencies) = (BTreeMap::new(), BTreeMap::new());
    for (id, needed) in reachable(metadata, own)? {
        let url = purl_of(&id)?;
        if id != *own {
            components.insert(url.clone(), component(find(&id)?, &digests)?);
        }
        let needed = needed.iter().map(|id| purl_of(id)).collect::<Result<BTreeSet<_>, _>>()?;
        dependencies.insert(url, needed);
    }
    let dependencies: Vec<_> =
        dependencies.into_iter().map(|(url, needed)| json!({ "ref": url, "dependsOn": needed })).collect();
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "tools": { "components": [{ "type": "application", "name": "xtask sbom", "version": VERSION }] },
            "component": component(find(own)?, &digests)?,
        },
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the fields and values that the schema requires: https://cyclonedx.org/schema/bom-1.5.schema.json.
    #[test]
    fn it_has_what_the_schema_of_cyclonedx_requires() {
        let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
        let bom = render(&load_metadata().unwrap(), &lock).unwrap();
        assert_eq!(
            (&bom["bomFormat"], &bom["specVersion"], &bom["version"]),
            (&json!("CycloneDX"), &json!("1.5"), &json!(1))
        );
        assert_eq!(bom["metadata"]["component"]["version"], VERSION);
        let components = bom["components"].as_array().unwrap();
        let mut refs = BTreeSet::from([bom["metadata"]["component"]["bom-ref"].as_str().unwrap()]);
        for component in components {
            assert_eq!(component["type"], "library");
            for field in ["name", "version", "purl", "bom-ref"] {
                assert!(component[field].as_str().is_some_and(|text| !text.is_empty()), "{component}");
            }
            assert!(refs.insert(component["bom-ref"].as_str().unwrap()), "twice: {component}");
            let is_own = component["name"].as_str().unwrap().starts_with("hatbox-");
            let digest = component["hashes"][0]["content"].as_str().unwrap_or_default();
            assert!(is_own || digest.len() == 64, "{component}");
            assert!(is_own || component["licenses"][0]["expression"].is_string(), "{component}");
        }
        let dependencies = bom["dependencies"].as_array().unwrap();
        assert_eq!(dependencies.len(), refs.len());
        for dependency in dependencies {
            let needed = dependency["dependsOn"].as_array().unwrap().iter().chain([&dependency["ref"]]);
            for needed in needed {
                assert!(refs.contains(needed.as_str().unwrap()), "{needed} is no component");
            }
        }
        let names: BTreeSet<_> =
            components.iter().map(|component| component["name"].as_str().unwrap()).collect();
        for there in ["age", "rustls", "chacha20poly1305", "hatbox-core", "aws-sdk-sts", "windows-sys"] {
            assert!(names.contains(there), "{there} is missing");
        }
        for absent in ["proptest", "xtask"] {
            assert!(!names.contains(absent), "{absent} is not in the program");
        }
    }

    #[test]
    fn digests_are_those_of_the_lock_file() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"00\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n";
        assert_eq!(
            checksums(lock),
            BTreeMap::from([(("a".to_owned(), "1.0.0".to_owned()), "00".to_owned())])
        );
        assert_eq!(purl("a", "1.0.0+b"), "pkg:cargo/a@1.0.0%2Bb");
    }
}
