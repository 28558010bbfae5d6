//! The files that Terraform writes: `terraform.tfstate` of version 4 (Terraform 0.12 and later, `OpenTofu`), and the
//! output of `terraform show -json` for a state or for a plan, which is read as if applied.

use super::resource::{Address, Resource};
use crate::accounts::model::Accounts;
use crate::accounts::origin::{OriginId, SourceKind};
use crate::accounts::read::{find, list, need, need_text, text, texts};
use crate::policy::node::{JsonError, Node, Value};

impl Accounts {
    pub(in crate::accounts) fn read_show(
        &mut self,
        node: &Node,
        origin: OriginId,
    ) -> Result<SourceKind, JsonError> {
        let version = need_text(node, "format_version")?;
        if !["0", "1"].contains(&version.split('.').next().unwrap_or_default()) {
            return Err(need(node, "format_version")?.error(format!(
                "the output of `terraform show -json` in format {version} cannot be read, only 1"
            )));
        }
        if find(node, "resource_changes").is_some() {
            self.read_changes(node, origin)?;
            return Ok(SourceKind::TerraformPlan);
        }
        let (values, kind) = match (find(node, "planned_values"), find(node, "values")) {
            (Some(values), _) => (Some(values), SourceKind::TerraformPlan),
            (None, values) => (values, SourceKind::TerraformState),
        };
        let mut resources = Vec::new();
        if let Some(root) = values.and_then(|values| find(values, "root_module")) {
            collect(root, &mut resources)?;
        }
        self.read_resources(&resources, origin)?;
        Ok(kind)
    }

    /// Reads a plan: removes the resources that it deletes, and adds all others as they will be.
    fn read_changes(&mut self, node: &Node, origin: OriginId) -> Result<(), JsonError> {
        let (mut leaving, mut coming) = (Vec::new(), Vec::new());
        for resource in list(node, "resource_changes")? {
            resource.members("a resource")?;
            if need_text(resource, "mode")? != "managed" {
                continue;
            }
            let (kind, address) = (need_text(resource, "type")?, need_text(resource, "address")?);
            let change = need(resource, "change")?;
            change.members("`change`")?;
            let one = |values, unknown| Resource { kind, address: Address::Whole(address), values, unknown };
            let is_going = texts(change, "actions")?.iter().any(|action| action == "delete");
            if let Some(before) = find(change, "before").filter(|_| is_going) {
                leaving.push(one(before, None));
            }
            if let Some(after) = find(change, "after") {
                coming.push(one(after, find(change, "after_unknown")));
            }
        }
        self.remove_resources(&leaving)?;
        self.read_resources(&coming, origin)
    }
}

/// Collects the resources of a module and its child modules.
fn collect<'n>(module: &'n Node<'n>, resources: &mut Vec<Resource<'n>>) -> Result<(), JsonError> {
    module.members("a module")?;
    for resource in list(module, "resources")? {
        resource.members("a resource")?;
        if need_text(resource, "mode")? != "managed" {
            continue;
        }
        let (kind, address) = (need_text(resource, "type")?, need_text(resource, "address")?);
        if let Some(values) = find(resource, "values") {
            values.members("`values`")?;
            resources.push(Resource { kind, address: Address::Whole(address), values, unknown: None });
        }
    }
    // The JSON reader limits the depth of this recursion.
    for child in list(module, "child_modules")? {
        collect(child, resources)?;
    }
    Ok(())
}

impl Accounts {
    pub(in crate::accounts) fn read_state(&mut self, node: &Node, origin: OriginId) -> Result<(), JsonError> {
        let version = need(node, "version")?;
        if version.value != Value::Number("4") {
            let given = version.render();
            return Err(version.error(format!(
                "a Terraform state of version {given} cannot be read, only 4 (Terraform 0.12 and later)"
            )));
        }
        let mut resources = Vec::new();
        for resource in list(node, "resources")? {
            resource.members("a resource")?;
            if need_text(resource, "mode")? != "managed" {
                continue;
            }
            let (kind, name) = (need_text(resource, "type")?, need_text(resource, "name")?);
            let module = text(resource, "module")?;
            for instance in list(resource, "instances")? {
                instance.members("an instance")?;
                let address = Address::Parts { module, kind, name, key: find(instance, "index_key") };
                if let Some(values) = find(instance, "attributes") {
                    values.members("`attributes`")?;
                    resources.push(Resource { kind, address, values, unknown: None });
                }
            }
        }
        self.read_resources(&resources, origin)
    }
}
