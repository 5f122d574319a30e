import Core
import FoundationEssentials
import Postgres

/// Changing a workspace's settings.
struct WorkspaceActions: Sendable {
    let services: AppServices

    func save(_ form: WorkspaceSettingsForm, by scope: WorkspaceScope) async throws {
        try form.validate()
        let before: Workspace? = try await services.directory.workspace(scope.workspace)
        try await services.database.write(scope.workspace) { transaction in
            try await transaction.run(
                "accounts.workspace.save",
                """
                UPDATE marketing_workspaces SET name = \(form.name), time_zone = \(form.timeZone), locale = \(form.locale),
                    postal_address = \(form.postalAddress), brand_name = \(form.brandName),
                    brand_color = \(form.brandColor), brand_logo = \(form.brandLogo), track_opens = \(form.trackOpens),
                    track_clicks = \(form.trackClicks), updated_at = \(services.clock.now)
                WHERE id = \(scope.workspace)
                """)
            try await services.audit.recordChange(
                "changed the workspace settings", subject: form.name, href: "/settings",
                from: before.map(Self.summary) ?? [:], to: Self.summary(form), by: scope, in: transaction)
        }
        services.directory.forget(scope.workspace)
    }

    private static func summary(_ workspace: Workspace) -> [String: JSONValue] {
        [
            "name": .string(workspace.name), "timeZone": .string(workspace.timeZone),
            "locale": .string(workspace.locale), "postalAddress": .string(workspace.postalAddress),
            "brandName": .string(workspace.brandName), "brandColor": .string(workspace.brandColor),
            "brandLogo": .string(workspace.brandLogo), "trackOpens": .bool(workspace.trackOpens),
            "trackClicks": .bool(workspace.trackClicks),
        ]
    }

    private static func summary(_ form: WorkspaceSettingsForm) -> [String: JSONValue] {
        [
            "name": .string(form.name), "timeZone": .string(form.timeZone), "locale": .string(form.locale),
            "postalAddress": .string(form.postalAddress), "brandName": .string(form.brandName),
            "brandColor": .string(form.brandColor), "brandLogo": .string(form.brandLogo),
            "trackOpens": .bool(form.trackOpens), "trackClicks": .bool(form.trackClicks),
        ]
    }
}
