//! The services that the sandbox plays, and how each is spoken to.

/// A service. `dispatch` knows its table of actions.
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
    /// The console, and the federation endpoint that leads there.
    Console,
    /// IAM Identity Center: clients, codes, tokens.
    SsoOidc,
    /// IAM Identity Center's portal: accounts, roles, credentials.
    Sso,
    /// The services on a machine: instance metadata, and the credential endpoint of containers.
    Metadata,
}

/// How requests name an action, and how answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The parameters `Action` and `Version` name it; answers are XML, in `ActionResponse`.
    Query {
        /// The only version there is.
        version: &'static str,
    },
    /// Method, host, path and query name it; answers are XML or bytes.
    S3,
    /// Method and path name it; bodies and answers are JSON, or pages for a browser.
    Json,
}

impl Service {
    /// All of them.
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

    /// Its name in actions, in the scope of signatures, and in the log.
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

    /// How it is spoken to.
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Sts => Protocol::Query { version: "2011-06-15" },
            Self::Iam => Protocol::Query { version: "2010-05-08" },
            Self::S3 => Protocol::S3,
            Self::SignIn | Self::Console | Self::SsoOidc | Self::Sso | Self::Metadata => Protocol::Json,
        }
    }

    /// The namespace of its XML; empty where it writes none.
    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::S3 => "http://s3.amazonaws.com/doc/2006-03-01/",
            Self::SignIn | Self::Console | Self::SsoOidc | Self::Sso | Self::Metadata => "",
        }
    }
}
