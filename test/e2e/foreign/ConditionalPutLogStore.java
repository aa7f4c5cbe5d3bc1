import io.delta.storage.HadoopFileSystemLogStore;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.CreateFileOptionKeys;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.s3a.RemoteFileChangedException;

/** Delta's log on S3 with `If-None-Match: *`: what Spark's own S3 log store lacks to be one writer among others. */
public class ConditionalPutLogStore extends HadoopFileSystemLogStore {
  public ConditionalPutLogStore(Configuration configuration) {
    super(configuration);
  }

  @Override
  public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration configuration)
      throws IOException {
    FileSystem store = path.getFileSystem(configuration);
    StringBuilder text = new StringBuilder();
    while (actions.hasNext()) text.append(actions.next()).append('\n');
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    try (OutputStream out = overwrite ? store.create(path, true) : createIfAbsent(store, path)) {
      out.write(bytes);
    } catch (RemoteFileChangedException | org.apache.hadoop.fs.FileAlreadyExistsException error) {
      throw new FileAlreadyExistsException(path.toString());
    }
  }

  private static OutputStream createIfAbsent(FileSystem store, Path path) throws IOException {
    FSDataOutputStreamBuilder<?, ?> builder = store.createFile(path);
    builder.overwrite(false);
    builder.must(CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE, true);
    return builder.build();
  }

  @Override
  public Boolean isPartialWriteVisible(Path path, Configuration configuration) {
    return false;
  }
}
