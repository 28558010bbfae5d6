//! `terraform.tfstate`, version 4: what Terraform 0.12 and later and `OpenTofu` write.

use super::resource::{Address, Resource};
use crate::accounts::model::Accounts;
use crate::accounts::origin::OriginId;
use crate::accounts::read::{find, list, need, need_text, text};
use crate::policy::node::{JsonError, Node, Value};

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
