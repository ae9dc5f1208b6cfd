package carepath;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.repository.IRepository;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CanonicalType;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.PlanDefinition;
import org.opencds.cqf.fhir.cr.plandefinition.PlanDefinitionProcessor;
import org.opencds.cqf.fhir.utility.monad.Either3;
import org.opencds.cqf.fhir.utility.monad.Eithers;
import org.opencds.cqf.fhir.utility.repository.InMemoryFhirRepository;

/**
 * Applies one plan with the Java engine: arguments are a Bundle of definitions, a Bundle of data,
 * the plan's id and the subject. The first line printed holds two times in milliseconds of
 * processor time: resources in and out, bytes in and out; the second is the answer.
 */
public class Apply {

    private static final int WARM = Integer.getInteger("warm", 4000);
    private static final int ROUNDS = 7;
    private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

    public static void main(String[] arguments) throws Exception {
        FhirContext context = FhirContext.forR4();
        context.setValidationSupport(new DefaultProfileValidationSupport(context));
        IParser parser = context.newJsonParser();
        Bundle definitions = parser.parseResource(
                Bundle.class, Files.readString(Path.of(arguments[0])));
        String text = Files.readString(Path.of(arguments[1]));
        Either3<CanonicalType, IIdType, PlanDefinition> plan =
                Eithers.forMiddle3(new IdType("PlanDefinition", arguments[2]));
        String subject = arguments[3];
        PlanDefinitionProcessor processor =
                new PlanDefinitionProcessor(new InMemoryFhirRepository(context, definitions));

        Bundle data = parser.parseResource(Bundle.class, text);
        Supplier<Object> object = () -> applied(processor, plan, subject, data);
        Supplier<Object> bytes = () -> context.newJsonParser()
                .encodeResourceToString(applied(
                        processor,
                        plan,
                        subject,
                        context.newJsonParser().parseResource(Bundle.class, text)));
        String answer = (String) bytes.get();
        System.out.println(milliseconds(object) + " " + milliseconds(bytes));
        System.out.println(answer);
    }

    private static IBaseResource applied(
            PlanDefinitionProcessor processor,
            Either3<CanonicalType, IIdType, PlanDefinition> plan,
            String subject,
            Bundle data) {
        IRepository none = null;
        return processor.apply(
                plan, subject, null, null, null, null, null, null, null, null, null,
                false, data, List.of(), none, none, none);
    }

    /** The median of some rounds, after the engine is warm. */
    private static double milliseconds(Supplier<Object> work) {
        for (int i = 0; i < WARM; i++) {
            work.get();
        }
        int each = Math.max(20, WARM / 10);
        double[] found = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            long start = CLOCK.getCurrentThreadCpuTime();
            for (int i = 0; i < each; i++) {
                work.get();
            }
            found[round] = (CLOCK.getCurrentThreadCpuTime() - start) / 1e6 / each;
        }
        Arrays.sort(found);
        return found[ROUNDS / 2];
    }
}
