import ServiceLifecycle
import Testing

@testable import Portal

@Suite("Names of services")
struct ServiceNameTests {
    private struct Keeper: Service {
        let key: String

        func run() async throws {}
    }

    /// The group writes the names into the log when it tells of starts and ends.
    @Test("A service is called by its type: what it holds stays out of the log")
    func type() {
        #expect(PortalRuntime.named(Keeper(key: "a signing key")).serviceName == "Keeper")
    }
}
