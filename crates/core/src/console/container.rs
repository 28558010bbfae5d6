//! URLs that Firefox opens in a container, with the extension "Open external links in a container".

use crate::sso::authorize::render_query;

/// A Firefox container: tabs with separate cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirefoxContainer {
    /// The name.
    pub name: String,
    /// The colour, if the container is new.
    pub color: Option<String>,
    /// The icon, if the container is new.
    pub icon: Option<String>,
}

impl FirefoxContainer {
    /// Returns the URL with which the extension opens `url` in the container, which it creates if it is missing.
    pub fn render_url(&self, url: &str) -> String {
        let mut pairs = vec![("name", self.name.as_str())];
        pairs.extend(self.color.as_deref().map(|color| ("color", color)));
        pairs.extend(self.icon.as_deref().map(|icon| ("icon", icon)));
        pairs.push(("url", url));
        format!("ext+container:{}", render_query(&pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_its_name_color_and_icon_and_the_page() {
        let mut container = FirefoxContainer { name: "prod & co".to_owned(), color: None, icon: None };
        assert_eq!(
            container.render_url("http://127.0.0.1:1/x?a=b"),
            "ext+container:name=prod%20%26%20co&url=http%3A%2F%2F127.0.0.1%3A1%2Fx%3Fa%3Db"
        );
        container.color = Some("red".to_owned());
        container.icon = Some("fence".to_owned());
        assert_eq!(
            container.render_url("u"),
            "ext+container:name=prod%20%26%20co&color=red&icon=fence&url=u"
        );
    }
}
