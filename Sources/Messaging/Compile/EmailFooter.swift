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
    /// pass the view and the reading of HTML as characters that stand for nothing.
    private static let stand: [(brace: String, character: String, reference: String, liquid: String)] = [
        ("{", "\u{F8F0}", "&#123;", "{{ '{' }}"),
        // A closing brace ends an output even between quotes.
        ("}", "\u{F8F1}", "&#125;", "{{ '%7D' | url_decode }}"),
    ]

    private static func withoutBraces(_ text: String) -> String {
        stand.reduce(text) { $0.replacing($1.brace, with: $1.character) }
    }

    /// HTML that nothing reads as HTML any more before Liquid does.
    static func withReferences(_ html: String) -> String {
        stand.reduce(html) { $0.replacing($1.character, with: $1.reference) }
    }

    /// The same in a text, which knows no references.
    static func withQuotes(_ text: String) -> String {
        stand.reduce(text) { $0.replacing($1.character, with: $1.liquid) }
    }
}

/// Makes footers with the view `mail/footer`, which is compiled with all others; once for a send, not for every message.
package struct EmailFooters: Sendable {
    private let views: @Sendable () throws -> ViewLibrary

    /// - Parameter views: the views of this moment.
    package init(_ views: @escaping @Sendable () throws -> ViewLibrary) {
        self.views = views
    }

    /// The footer, in which braces of names and addresses have stand-ins: see ``EmailFooter/withReferences(_:)``.
    func html(_ footer: EmailFooter) throws -> String {
        let bytes: [UInt8] = try views().render(footer, chrome: Chrome.empty)
        return String(decoding: bytes, as: UTF8.self).trimmed
    }
}
