import Accounts
import Campaigns
import Contacts
import Core
import Messaging
import Postgres
import Segments

/// Everything that uses a list, a property or a company: campaigns, templates, segments. Imports add themselves.
enum ListUses {
    static func find(
        _ list: ContactListID, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        let campaigns: [ListUse] = try await CampaignListUses.find(list, scope, in: transaction)
        return try await campaigns + SegmentUses.ofList(list, scope, transaction)
    }

    static func ofProperty(
        _ property: PropertyDefinition, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        let campaigns: [ListUse] = try await CampaignPropertyUses.find(property, scope, in: transaction)
        let templates: [ListUse] = try await TemplateUses.ofProperty(property, scope, in: transaction)
        return try await campaigns + templates
            + SegmentUses.ofProperty(property.name, ofCompanies: property.object == .company, scope, transaction)
    }

    /// What people wrote that names a person who is erased.
    static func naming(
        _ person: PersonMentions, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        try await SegmentUses.naming(person, scope, transaction)
            + CampaignMentions.find(person, scope, in: transaction)
            + TemplateUses.naming(person, scope, in: transaction)
    }

    static func ofCompany(
        _ company: Company, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        try await SegmentUses.ofCompany(company.id.uuid, scope, transaction)
    }
}
