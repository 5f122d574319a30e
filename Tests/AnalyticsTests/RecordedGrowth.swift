import TestSupport

@testable import Analytics

/// Runs the hourly note of how many people there are.
enum RecordedGrowth {
    static func record(_ portal: PortalFixture) async throws {
        try await ContactCounts(services: portal.services).record()
    }
}
