package carepath;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.StructureDefinition;
import org.hl7.fhir.r4.model.ValueSet;

/**
 * Validates resources with the official validator classes and lists what they call an error.
 *
 * <p>Arguments: a list of resources (each line: file, tab, name to show), then files or folders with
 * definitions. Definitions given earlier win over later ones, and all of them over those of R4 core.
 */
public final class Validate {
  private final FhirContext context = FhirContext.forR4();
  private int resources;
  private int errors;

  public static void main(String[] arguments) throws IOException {
    Validate run = new Validate();
    FhirValidator validator = run.validator(List.of(arguments).subList(1, arguments.length));
    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
      String[] parts = line.split("\t", 2);
      run.validate(validator, Files.readString(Path.of(parts[0])), parts[1]);
    }
    System.out.printf("%d resources, %d errors%n", run.resources, run.errors);
    System.exit(run.errors == 0 ? 0 : 1);
  }

  private FhirValidator validator(List<String> definitions) throws IOException {
    PrePopulatedValidationSupport own = new PrePopulatedValidationSupport(context);
    for (String place : definitions) {
      load(Path.of(place), own);
    }
    UnknownCodeSystemWarningValidationSupport unknown =
        new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
    ValidationSupportChain chain =
        new ValidationSupportChain(
            own,
            new DefaultProfileValidationSupport(context),
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            new SnapshotGeneratingValidationSupport(context),
            unknown);
    FhirInstanceValidator module = new FhirInstanceValidator(chain);
    module.setErrorForUnknownProfiles(false);
    return context.newValidator().registerValidatorModule(module);
  }

  private void load(Path place, PrePopulatedValidationSupport own) throws IOException {
    try (Stream<Path> files = Files.walk(place)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        String name = file.getFileName().toString();
        if (name.equals("people.json")) {
          continue; // describes synthetic patients, and is no resource
        }
        if (name.endsWith(".json") && !name.endsWith(".schema.json")) {
          add(context.newJsonParser(), file, own);
        } else if (name.endsWith(".xml")) {
          add(context.newXmlParser(), file, own);
        }
      }
    }
  }

  private void add(IParser parser, Path file, PrePopulatedValidationSupport own)
      throws IOException {
    IBaseResource resource = parser.parseResource(Files.readString(file));
    if (resource instanceof StructureDefinition found) {
      if (own.fetchStructureDefinition(found.getUrl()) == null) {
        own.addStructureDefinition(found);
      }
    } else if (resource instanceof CodeSystem found) {
      own.addCodeSystem(found);
    } else if (resource instanceof ValueSet found) {
      own.addValueSet(found);
    }
  }

  /** A profile of somebody else, claimed and not there, is no fault of the resource. */
  private static boolean isForeignProfile(String message) {
    return message.startsWith("Invalid profile. Failed to retrieve profile with url=")
        && !message.contains("=https://carepath.example/");
  }

  private void validate(FhirValidator validator, String text, String name) {
    resources++;
    for (SingleValidationMessage message : validator.validateWithResult(text).getMessages()) {
      ResultSeverityEnum severity = message.getSeverity();
      boolean bad = severity == ResultSeverityEnum.ERROR || severity == ResultSeverityEnum.FATAL;
      if (bad && !isForeignProfile(message.getMessage())) {
        errors++;
        System.out.printf("%s: %s: %s%n", name, message.getLocationString(), message.getMessage());
      }
    }
  }
}
