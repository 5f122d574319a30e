import Portal
import Templates
import TestSupport
import Testing
import Web

@Suite("The views")
struct ViewPreviewTests {
    @Test("are free of mistakes, and every page renders its examples")
    func renderPreviews() throws {
        let assets = try Assets(directory: "\(PortalFixture.root)/Public")
        let inspection = ViewInspection(pages: PortalAssembly.pages, chrome: Chrome.example) {
            () throws(ViewErrors) in try PortalAssembly.views(in: "\(PortalFixture.root)/Views", assets: assets)
        }
        #expect(inspection.isSound, "\(inspection.report)")
    }
}
