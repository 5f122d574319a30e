import Core
import Markup
import Messaging
import Templates
import Web

/// Who wants something sent.
package enum CampaignAsker: Sendable {
    /// Somebody at the pages: held to have a postal address.
    case person
    /// A program that uses the API, or a schedule that was looked over when it was made. The pages' registration leads
    /// people to the address; a program may bring it inside of its letter, where nobody can tell it from other text.
    case program
}

/// A commercial e-mail must name a valid physical postal address (CAN-SPAM, 15 U.S.C. 7704(a)(5)(A)(iii); CASL asks for
/// the same). It stands in the workspace's settings, or comes from a personal field of the letter.
enum PostalAddressCheck {
    /// - Parameters:
    ///   - address: the workspace's; empty while none is set.
    ///   - properties: the names of contacts' properties.
    ///   - returnPath: where the settings lead back to.
    static func check(
        _ address: String, in content: SendContent, properties: Set<String>, asker: CampaignAsker, returnPath: String
    ) throws -> CampaignCheck {
        if !address.isEmpty { return .passed("postal_address", "Your postal address is at the end") }
        if try names(content.email.html, properties: properties) {
            return .passed("postal_address", "The postal address comes from a personal field")
        }
        return CampaignCheck(
            code: "no_postal_address", level: asker == .person ? .blocker : .warning,
            title: "There is no postal address",
            detail: "The law asks for one in every commercial e-mail. An owner or admin adds it under Settings, and it "
                + "stands at the end of every campaign. Tests can be sent without it.",
            remedy: CampaignCheck.Remedy(
                label: "Add the address",
                href: "/settings" + PercentEncoding.query([("return", returnPath)]) + "#postalAddress"))
    }

    private static func names(_ html: String, properties: Set<String>) throws -> Bool {
        try LiquidTemplate(html, mode: .html).variablePaths.contains { use in
            MergeFields.isKnown(use.path, properties: properties) && isPostal(use.path)
        }
    }

    /// Whether a variable is named like a postal address: `contact.shop_address`, `contact.properties["Postal address"]`;
    /// not `contact.emailAddress`.
    static func isPostal(_ path: String) -> Bool {
        let parts: [Substring] = path.lowercased().split { ".[]\"'".contains($0) }
        guard parts.count > 1, let name = parts.last else { return false }
        let others: [String] = ["email", "e_mail", "e-mail", "mail", "ip", "web", "mac"]
        return name.contains("address") && !others.contains { name.hasPrefix($0) }
    }
}
