import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.gclient.TokenClientParam;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.CarePlan;
import org.hl7.fhir.r4.model.DateType;
import org.hl7.fhir.r4.model.Enumerations;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.PlanDefinition;
import org.hl7.fhir.r4.model.StringType;
import org.hl7.fhir.r4.model.UriType;
import org.hl7.fhir.r4.model.ValueSet;

/** The HAPI client against a live service: prints `name=value` lines with what it got. */
public class Client {
  public static void main(String[] arguments) throws Exception {
    Map<String, Object> seen = new LinkedHashMap<>();
    // Without an encoding it asks for XML and JSON alike; then for each of them alone.
    for (EncodingEnum encoding : new EncodingEnum[] {null, EncodingEnum.JSON, EncodingEnum.XML}) {
      FhirContext context = FhirContext.forR4();
      context.setParserErrorHandler(new StrictErrorHandler());
      context.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
      context.getRestfulClientFactory().setSocketTimeout(60000);
      IGenericClient client = context.newRestfulGenericClient(arguments[0]);
      String prefix = encoding == null ? "any" : encoding.name().toLowerCase();
      if (encoding != null) {
        client.setEncoding(encoding);
      }
      CapabilityStatement statement =
          client.capabilities().ofType(CapabilityStatement.class).execute();
      seen.put(prefix + ".metadata", statement.getFhirVersion().toCode());
      PlanDefinition plan =
          client.read().resource(PlanDefinition.class).withId("mst-pathway").execute();
      seen.put(prefix + ".read", plan.getIdElement().getIdPart());
      PlanDefinition again =
          client
              .read()
              .resource(PlanDefinition.class)
              .withIdAndVersion("mst-pathway", plan.getMeta().getVersionId())
              .execute();
      seen.put(prefix + ".vread", again.getIdElement().getIdPart());
      Bundle page =
          client
              .search()
              .forResource(PlanDefinition.class)
              .count(3)
              .returnBundle(Bundle.class)
              .execute();
      int found = page.getEntry().size();
      while (page.getLink(Bundle.LINK_NEXT) != null) {
        page = client.loadPage().next(page).execute();
        found += page.getEntry().size();
      }
      seen.put(prefix + ".pages", found == page.getTotal());
      Bundle posted =
          client
              .search()
              .forResource(PlanDefinition.class)
              .where(new TokenClientParam("_id").exactly().code("mst-pathway"))
              .usingStyle(ca.uhn.fhir.rest.api.SearchStyleEnum.POST)
              .returnBundle(Bundle.class)
              .execute();
      seen.put(prefix + ".form", posted.getTotal());
      Bundle data =
          (Bundle) context.newJsonParser().parseResource(Files.readString(Path.of(arguments[1])));
      Parameters parameters = new Parameters();
      parameters.addParameter().setName("data").setResource(data);
      parameters.addParameter().setName("subject").setValue(new StringType(arguments[2]));
      CarePlan carePlan =
          client
              .operation()
              .onInstance(new IdType("PlanDefinition", "mst-pathway"))
              .named("$apply")
              .withParameters(parameters)
              .returnResourceType(CarePlan.class)
              .execute();
      seen.put(prefix + ".apply", carePlan.getIntent().toCode());
      Bundle pathways =
          client
              .operation()
              .onServer()
              .named("$apply-pathways")
              .withParameter(Parameters.class, "data", data)
              .returnResourceType(Bundle.class)
              .execute();
      seen.put(prefix + ".pathways", pathways.getEntryFirstRep().getResource().fhirType());
      ValueSet expanded =
          client
              .operation()
              .onType(ValueSet.class)
              .named("$expand")
              .withParameter(
                  Parameters.class,
                  "url",
                  new UriType("http://hl7.org/fhir/ValueSet/administrative-gender"))
              .useHttpGet()
              .returnResourceType(ValueSet.class)
              .execute();
      seen.put(prefix + ".expand", expanded.getExpansion().getContains().size());
      Patient wrong = new Patient();
      wrong.setBirthDateElement(new DateType("2026-02"));
      wrong.addContact().setGender(Enumerations.AdministrativeGender.MALE);
      OperationOutcome verdict =
          (OperationOutcome) client.validate().resource(wrong).execute().getOperationOutcome();
      seen.put(
          prefix + ".validate",
          verdict.getIssue().stream()
              .anyMatch(issue -> issue.getDiagnostics().contains("pat-1")));
      try {
        client
            .operation()
            .onInstance(new IdType("PlanDefinition", "mst-pathway"))
            .named("$apply")
            .withParameter(Parameters.class, "colour", new StringType("red"))
            .execute();
      } catch (InvalidRequestException error) {
        OperationOutcome outcome = (OperationOutcome) error.getOperationOutcome();
        seen.put(prefix + ".refused", outcome.getIssueFirstRep().getCode().toCode());
      }
      try {
        client.read().resource(PlanDefinition.class).withId("nowhere").execute();
      } catch (ResourceNotFoundException error) {
        OperationOutcome outcome = (OperationOutcome) error.getOperationOutcome();
        seen.put(prefix + ".missing", outcome.getIssueFirstRep().getCode().toCode());
      }
    }
    seen.forEach((name, value) -> System.out.println(name + "=" + value));
  }
}
