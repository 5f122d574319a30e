import Core
import Templates
import Web

/// What the law asks for at the end of an e-mail and its author left out.
package struct EmailFooter: ViewPage {
    let workspaceName: String
    /// The lines of the postal address; nil where the letter has it already.
    let address: [String]?
    /// Whether a link to unsubscribe is missing.
    let needsLink: Bool

    package static let view = "mail/footer"
    package static let fields = Fields<EmailFooter> { f in
        f.optionalText("address") { footer in
            footer.address.map { EmailFooter.withoutBraces(([footer.workspaceName] + $0).joined(separator: ", ")) }
        }
        f.flag("needsLink") { $0.needsLink }
    }
    package static var previews: [EmailFooter] {
        [
            EmailFooter(workspaceName: "Acme", address: ["1 Main Street", "12345 Town"], needsLink: true),
            EmailFooter(workspaceName: "Acme", address: nil, needsLink: true),
            EmailFooter(workspaceName: "Acme", address: [], needsLink: false),
        ]
    }

    /// The view makes a part of a Liquid template, in which a brace of somebody's name must not begin a tag. So braces
    /// pass the view as characters that stand for nothing, and become references.
    private static let stand: [(brace: String, character: String, reference: String)] = [
        ("{", "\u{F8F0}", "&#123;"), ("}", "\u{F8F1}", "&#125;"),
    ]

    private static func withoutBraces(_ text: String) -> String {
        stand.reduce(text) { $0.replacing($1.brace, with: $1.character) }
    }

    static func withReferences(_ html: String) -> String {
        stand.reduce(html) { $0.replacing($1.character, with: $1.reference) }
    }
}

/// Makes footers with the view `mail/footer`, which is compiled with all others; once for a send, not for every message.
package struct EmailFooters: Sendable {
    private let views: @Sendable () throws -> ViewLibrary

    /// - Parameter views: the views of this moment.
    package init(_ views: @escaping @Sendable () throws -> ViewLibrary) {
        self.views = views
    }

    func html(_ footer: EmailFooter) throws -> String {
        let bytes: [UInt8] = try views().render(footer, chrome: Chrome.empty)
        return EmailFooter.withReferences(String(decoding: bytes, as: UTF8.self).trimmed)
    }
}
