//! The services that the sandbox implements, and the protocol of each.

/// A service. `dispatch` knows the table of its actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// The Security Token Service.
    Sts,
    /// Identity and Access Management.
    Iam,
    /// The Simple Storage Service.
    S3,
    /// The sign-in service behind `aws login`.
    SignIn,
    /// The console and its federation endpoint.
    Console,
    /// The OIDC service of IAM Identity Center: clients, codes, tokens.
    SsoOidc,
    /// The portal of IAM Identity Center: accounts, roles, credentials.
    Sso,
    /// The metadata services of a machine: instance metadata, and the credential endpoint of containers.
    Metadata,
}

/// How requests name an action, and the format of responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The action is in the parameters `Action` and `Version`; responses are XML with the root element
    /// `ActionResponse`.
    Query {
        /// The only supported version.
        version: &'static str,
    },
    /// The action follows from method, host, path and query; responses are XML or bytes.
    S3,
    /// The action follows from method and path; bodies are JSON, or pages for a browser.
    Json,
}

impl Service {
    /// All services.
    pub(crate) const ALL: [Self; 8] = [
        Self::Sts,
        Self::Iam,
        Self::S3,
        Self::SignIn,
        Self::Console,
        Self::SsoOidc,
        Self::Sso,
        Self::Metadata,
    ];

    /// Returns the service's name in actions, in the scope of signatures, and in the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::S3 => "s3",
            Self::SignIn => "signin",
            Self::Console => "console",
            Self::SsoOidc => "sso-oidc",
            Self::Sso => "sso",
            Self::Metadata => "metadata",
        }
    }

    /// Returns the service's protocol.
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Sts => Protocol::Query { version: "2011-06-15" },
            Self::Iam => Protocol::Query { version: "2010-05-08" },
            Self::S3 => Protocol::S3,
            Self::SignIn | Self::Console | Self::SsoOidc | Self::Sso | Self::Metadata => Protocol::Json,
        }
    }

    /// Returns the XML namespace of responses; empty for services without XML.
    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::S3 => "http://s3.amazonaws.com/doc/2006-03-01/",
            Self::SignIn | Self::Console | Self::SsoOidc | Self::Sso | Self::Metadata => "",
        }
    }
}
